//! The Lambda function `apply-retention`: see its library.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), gatehouse::event::StartError> {
    gatehouse::event::run::<apply_retention::ApplyRetention>().await
}
