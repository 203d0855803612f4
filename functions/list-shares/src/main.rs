//! The Lambda function `list-shares`: see its library.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), gatehouse::event::StartError> {
    gatehouse::http::run::<list_shares::ListShares>().await
}
