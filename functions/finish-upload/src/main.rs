//! The Lambda function `finish-upload`: see its library.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), gatehouse::event::StartError> {
    gatehouse::event::run::<finish_upload::FinishUpload>().await
}
