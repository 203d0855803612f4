//! The Lambda function `deliver-mail`: see its library.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), gatehouse::event::StartError> {
    gatehouse::event::run::<deliver_mail::DeliverMail>().await
}
