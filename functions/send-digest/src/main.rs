//! The Lambda function `send-digest`: see its library.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), gatehouse::event::StartError> {
    gatehouse::event::run::<send_digest::SendDigest>().await
}
