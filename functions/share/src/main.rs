//! The Lambda function `share`: see its library.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), gatehouse::event::StartError> {
    gatehouse::http::run::<share::Share>().await
}
