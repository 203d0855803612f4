//! The Lambda function `records`: see its library.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), gatehouse::event::StartError> {
    gatehouse::http::run::<records::Records>().await
}
