//! A file's bytes: how they get into the bucket, and whether they did.

use gatehouse::domain::{Activity, ActivityKind, FileState, NewFile, Right, ShareFile, ShareState};
use gatehouse::files::StoredBytes;
use gatehouse::http::{Answer, Call, FileView, Once, Problem, json};
use lambda_http::http::StatusCode;

use crate::Share;
use crate::draft::{AwaitedFile, announce};

impl Share {
    pub(crate) async fn add_file(&self, call: &Call, new: &NewFile) -> Result<Answer, Problem> {
        let now = self.gate.now();
        let share = self.gate.store.share(call.id("id")?);
        let (staff, share) = self.gate.staff_and(call, Right::ManageShares, share).await?;
        let once = match self.gate.once(call, staff.id).await? {
            Once::Again(answer) => return Ok(answer),
            Once::First(once) => once,
        };
        let share = share.ok_or_else(Problem::not_found)?;
        if share.state != ShareState::Draft {
            return Err(Problem::already_sent());
        }
        let file = announce(new, share.id, &staff, now, "")?;
        let awaited = AwaitedFile { id: file.id, upload: self.files.upload(&file).await? };
        let answer = json(StatusCode::CREATED, &awaited)?;
        // Saving the unchanged draft makes sure that it is not sent at this very moment.
        let transaction = self.gate.store.transaction().save(share.rev, &share.record).create(&file);
        transaction.remember(&once, &answer, now).commit().await?;
        Ok(answer)
    }

    /// Fresh URLs for an upload that was broken off.
    pub(crate) async fn show_upload(&self, call: &Call) -> Result<Answer, Problem> {
        let file = self.gate.store.file(call.id("id")?, call.id("fid")?);
        let (_, file) = self.gate.staff_and(call, Right::ManageShares, file).await?;
        let file = file.ok_or_else(Problem::not_found)?;
        if file.upload == FileState::Stored {
            return json(StatusCode::OK, &serde_json::json!({ "id": file.id, "upload": null }));
        }
        json(StatusCode::OK, &AwaitedFile { id: file.id, upload: self.files.upload(&file).await? })
    }

    /// Asks the bucket what it has, and believes nobody else.
    pub(crate) async fn complete(&self, call: &Call) -> Result<Answer, Problem> {
        let now = self.gate.now();
        let file = self.gate.store.file(call.id("id")?, call.id("fid")?);
        let (staff, file) = self.gate.staff_and(call, Right::ManageShares, file).await?;
        let file = file.ok_or_else(Problem::not_found)?;
        if file.upload == FileState::Pending {
            self.check(&file).await?;
            let rev = file.rev;
            let file = ShareFile { upload: FileState::Stored, ..file.record };
            let by = staff.actor();
            let activity = Activity::new(ActivityKind::FileUploaded, by, now).share(file.share_id).files([file.id]);
            self.gate.store.transaction().save(rev, &file).activity(&activity).commit().await?;
            return json(StatusCode::OK, &FileView::from(file));
        }
        json(StatusCode::OK, &FileView::from(file.record))
    }

    async fn check(&self, file: &ShareFile) -> Result<(), Problem> {
        let Some(StoredBytes { size, sha256 }) = self.files.stored(file).await? else {
            return Err(Problem::upload_incomplete(format!("Nothing has been uploaded for \"{}\" yet.", file.name)));
        };
        if size != file.size {
            return Err(Problem::upload_incomplete(format!(
                "\"{}\" was announced with {} bytes, but {size} have arrived.",
                file.name, file.size
            )));
        }
        if file.sha256.is_some_and(|announced| sha256.as_deref() != Some(announced.base64().as_str())) {
            return Err(Problem::upload_incomplete(format!("The bytes of \"{}\" have another SHA-256.", file.name)));
        }
        Ok(())
    }
}
