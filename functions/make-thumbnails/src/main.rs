//! The Lambda function `make-thumbnails`: see its library.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), gatehouse::event::StartError> {
    gatehouse::event::run::<make_thumbnails::MakeThumbnails>().await
}
