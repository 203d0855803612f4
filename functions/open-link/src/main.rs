//! The Lambda function `open-link`: see its library.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), gatehouse::event::StartError> {
    gatehouse::http::run::<open_link::OpenLink>().await
}
