//! The Lambda function `preview-mail`: see its library.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), gatehouse::event::StartError> {
    gatehouse::http::run::<preview_mail::PreviewMail>().await
}
