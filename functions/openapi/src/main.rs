//! The Lambda function `openapi`: see its library.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), gatehouse::event::StartError> {
    gatehouse::http::run::<openapi::OpenApi>().await
}
