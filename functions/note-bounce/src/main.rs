//! The Lambda function `note-bounce`: see its library.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), gatehouse::event::StartError> {
    gatehouse::event::run::<note_bounce::NoteBounce>().await
}
