//! The Lambda function `report-problem`: see its library.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), gatehouse::event::StartError> {
    gatehouse::http::run::<report_problem::ReportProblem>().await
}
