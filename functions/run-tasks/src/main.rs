//! The Lambda function `run-tasks`: see its library.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), gatehouse::event::StartError> {
    gatehouse::event::run::<run_tasks::RunTasks>().await
}
