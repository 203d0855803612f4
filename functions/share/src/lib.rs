//! Staff make a share, send its files to the bucket, and send it to its recipients.

mod draft;
mod send;
mod upload;

use gatehouse::aws::Env;
use gatehouse::event::StartError;
use gatehouse::files::Files;
use gatehouse::http::{Answer, Call, Function, Gate, Problem, retry_stale};

/// The function.
pub struct Share {
    gate: Gate,
    files: Files,
}

impl Function for Share {
    async fn connect(env: &Env) -> Result<Self, StartError> {
        Ok(Self { gate: Gate::connect(env).await?, files: Files::new(env) })
    }

    async fn answer(&self, call: &Call) -> Result<Answer, Problem> {
        match call.route() {
            "POST /v1/shares" => {
                let new = call.json()?;
                retry_stale(|| self.create(call, &new)).await
            }
            "POST /v1/shares/{id}/files" => {
                let new = call.json()?;
                retry_stale(|| self.add_file(call, &new)).await
            }
            "GET /v1/shares/{id}/files/{fid}/upload" => self.show_upload(call).await,
            "POST /v1/shares/{id}/files/{fid}/complete" => retry_stale(|| self.complete(call)).await,
            "POST /v1/shares/{id}/send" => retry_stale(|| self.send(call)).await,
            _ => Err(Problem::not_found()),
        }
    }
}
