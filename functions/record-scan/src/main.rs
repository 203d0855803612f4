//! The Lambda function `record-scan`: see its library.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), gatehouse::event::StartError> {
    gatehouse::event::run::<record_scan::RecordScan>().await
}
