//! The Lambda function `first-admin`: see its library.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), gatehouse::event::StartError> {
    gatehouse::event::run::<first_admin::FirstAdmin>().await
}
