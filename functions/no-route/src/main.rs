//! The Lambda function `no-route`: see its library.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), gatehouse::event::StartError> {
    gatehouse::http::run::<no_route::NoRoute>().await
}
