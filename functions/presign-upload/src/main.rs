//! The Lambda function `presign-upload`: see its library.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), gatehouse::event::StartError> {
    gatehouse::http::run::<presign_upload::PresignUpload>().await
}
