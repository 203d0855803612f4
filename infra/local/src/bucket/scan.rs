//! `GuardDuty`, as far as a bucket of this machine needs it: the test text of EICAR is a find, a locked archive is none of
//! its business, all else is clean.

use std::fs::File;
use std::io::Read as _;

use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use ulid::Ulid;

use super::{ACCOUNT, Bucket};
use crate::{BUCKET, REGION};

/// The prefixes that template.yaml has scanned.
const SCANNED: [&str; 2] = ["shares/", "jobs/"];
/// In halves, so that no scanner takes this file, or the program, for what it names
/// (<https://www.eicar.org/download-anti-malware-testfile/>).
const EICAR: [&str; 2] = [r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EI", "CAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"];
/// It is a find where nothing but white space follows, up to so many bytes in all.
const LONGEST_EICAR: u64 = 128;

/// What a scan says of bytes, in `GuardDuty`'s words.
fn result(bytes: &[u8]) -> (&'static str, Value) {
    let rest = EICAR.iter().try_fold(bytes, |bytes, half| bytes.strip_prefix(half.as_bytes()));
    let found = rest.is_some_and(|rest| rest.iter().all(u8::is_ascii_whitespace));
    // A ZIP whose first file is encrypted (APPNOTE 4.4.4, bit 0).
    let locked = bytes.starts_with(b"PK\x03\x04") && bytes.get(6).is_some_and(|flags| flags & 1 == 1);
    match (found, locked) {
        (true, _) => ("THREATS_FOUND", json!([{ "name": "EICAR-Test-File (not a virus)" }])),
        (_, true) => ("UNSUPPORTED", Value::Null),
        _ => ("NO_THREATS_FOUND", Value::Null),
    }
}

impl Bucket {
    /// Hands on what the bucket tells, and what a scan says of each object, where scans are asked for.
    pub(crate) async fn scan(
        self,
        mut created: UnboundedReceiver<Value>,
        taken: UnboundedSender<Value>,
        scanned: Option<UnboundedSender<Value>>,
    ) {
        while let Some(event) = created.recv().await {
            let verdict = scanned.as_ref().and_then(|scanned| Some((scanned, self.scan_result(&event)?)));
            // Nobody listens any more when the stack ends.
            drop(taken.send(event));
            if let Some((scanned, verdict)) = verdict {
                drop(scanned.send(verdict));
            }
        }
    }

    /// "`GuardDuty` Malware Protection Object Scan Result" of the object that such an event tells of.
    fn scan_result(&self, created: &Value) -> Option<Value> {
        let object = &created["detail"]["object"];
        let key = object["key"].as_str().filter(|key| SCANNED.iter().any(|prefix| key.starts_with(prefix)))?;
        let mut beginning = Vec::new();
        let file = File::open(self.folder.join(BUCKET).join(key)).ok()?;
        file.take(LONGEST_EICAR + 1).read_to_end(&mut beginning).ok()?;
        let (status, threats) = result(&beginning);
        Some(json!({
            "version": "0",
            "id": Ulid::generate().to_string(),
            "detail-type": "GuardDuty Malware Protection Object Scan Result",
            "source": "aws.guardduty",
            "account": ACCOUNT,
            "time": created["time"],
            "region": REGION,
            "resources": [format!("arn:aws:guardduty:{REGION}:{ACCOUNT}:malware-protection-plan/local")],
            "detail": {
                "schemaVersion": "1.0",
                "scanStatus": if status == "UNSUPPORTED" { "SKIPPED" } else { "COMPLETED" },
                "resourceType": "S3_OBJECT",
                "s3ObjectDetails": {
                    "bucketName": BUCKET,
                    "objectKey": key,
                    "eTag": object["etag"],
                    "versionId": object["version-id"],
                    "s3Throttled": false,
                },
                "scanResultDetails": { "scanResultStatus": status, "threats": threats },
            },
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_test_text_is_found_and_nothing_else_is() {
        let text = EICAR.concat();
        assert_eq!(text.len(), 68);
        let locked = b"PK\x03\x04\x14\0\x01\0\x08\0";
        for (bytes, is) in [
            (text.as_bytes().to_vec(), "THREATS_FOUND"),
            (format!("{text}\r\n").into_bytes(), "THREATS_FOUND"),
            (format!("{text} and more").into_bytes(), "NO_THREATS_FOUND"),
            (format!(" {text}").into_bytes(), "NO_THREATS_FOUND"),
            (locked.to_vec(), "UNSUPPORTED"),
            (b"PK\x03\x04\x14\0\0\0".to_vec(), "NO_THREATS_FOUND"),
            (Vec::new(), "NO_THREATS_FOUND"),
        ] {
            assert_eq!(result(&bytes).0, is);
        }
    }
}
