//! The Lambda function `presign-download`: see its library.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), gatehouse::event::StartError> {
    gatehouse::http::run::<presign_download::PresignDownload>().await
}
