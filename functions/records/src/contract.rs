//! What each route takes and answers, and by what it refuses.

use gatehouse::domain::{AssetChange, JobChange, JobUpdate, Right, SiteChange};
use gatehouse::http::Callers::{Staff, StaffAndCustomers};
use gatehouse::http::{Operation, PageQuery};

use crate::batch::{Batch, BatchView};
use crate::query::{AssetQuery, JobQuery, SiteQuery};
use crate::view::{AssetView, JobDetails, JobView, JobWithHistory, Rows, SiteView};

/// The contract of this function's routes.
#[must_use]
pub fn contract() -> Vec<Operation> {
    [sites(), assets(), jobs()].concat()
}

fn sites() -> Vec<Operation> {
    vec![
        Operation::new(
            StaffAndCustomers(Right::ReadRecords),
            "GET /v1/sites",
            "listSites",
            "Lists the sites of a company: a customer's own, or the one that the staff name.",
        )
        .query::<SiteQuery>()
        .query::<PageQuery>()
        .answers::<Rows<SiteView>>(200)
        .cached()
        .refuses(&["area_not_open"]),
        Operation::new(StaffAndCustomers(Right::ReadRecords), "GET /v1/sites/{id}", "getSite", "Shows a site.")
            .answers::<SiteView>(200)
            .refuses(&["area_not_open"]),
        Operation::new(
            Staff(Right::ManageRecords),
            "PUT /v1/companies/{id}/sites/{reference+}",
            "putSite",
            "Enters or changes a site, by the operator's own reference.",
        )
        .takes::<SiteChange>()
        .answers::<SiteView>(200)
        .answers::<SiteView>(201)
        .refuses(&["company_merged"]),
        Operation::new(
            Staff(Right::ManageRecords),
            "DELETE /v1/companies/{id}/sites/{reference+}",
            "deleteSite",
            "Deletes a site.",
        )
        .answers_nothing()
        .refuses(&["company_merged"]),
        Operation::new(
            Staff(Right::ManageRecords),
            "POST /v1/companies/{id}/sites",
            "pushSites",
            "Enters or changes up to 500 sites; each is taken or refused for itself.",
        )
        .takes::<Batch<SiteChange>>()
        .answers::<BatchView>(200)
        .refuses(&["company_merged"]),
    ]
}

fn assets() -> Vec<Operation> {
    vec![
        Operation::new(
            StaffAndCustomers(Right::ReadRecords),
            "GET /v1/assets",
            "listAssets",
            "Lists the assets of a company: a customer's own, or the one that the staff name.",
        )
        .query::<AssetQuery>()
        .query::<PageQuery>()
        .answers::<Rows<AssetView>>(200)
        .cached()
        .refuses(&["area_not_open"]),
        Operation::new(StaffAndCustomers(Right::ReadRecords), "GET /v1/assets/{id}", "getAsset", "Shows an asset.")
            .answers::<AssetView>(200)
            .refuses(&["area_not_open"]),
        Operation::new(
            Staff(Right::ManageRecords),
            "PUT /v1/companies/{id}/assets/{reference+}",
            "putAsset",
            "Enters or changes an asset, by the operator's own reference.",
        )
        .takes::<AssetChange>()
        .answers::<AssetView>(200)
        .answers::<AssetView>(201)
        .refuses(&["company_merged"]),
        Operation::new(
            Staff(Right::ManageRecords),
            "DELETE /v1/companies/{id}/assets/{reference+}",
            "deleteAsset",
            "Deletes an asset.",
        )
        .answers_nothing()
        .refuses(&["company_merged"]),
        Operation::new(
            Staff(Right::ManageRecords),
            "POST /v1/companies/{id}/assets",
            "pushAssets",
            "Enters or changes up to 500 assets; each is taken or refused for itself.",
        )
        .takes::<Batch<AssetChange>>()
        .answers::<BatchView>(200)
        .refuses(&["company_merged"]),
    ]
}

fn jobs() -> Vec<Operation> {
    vec![
        Operation::new(
            StaffAndCustomers(Right::ReadRecords),
            "GET /v1/jobs",
            "listJobs",
            "Lists the jobs of a company: a customer's own, or the one that the staff name.",
        )
        .query::<JobQuery>()
        .query::<PageQuery>()
        .answers::<Rows<JobView>>(200)
        .cached()
        .refuses(&["area_not_open"]),
        Operation::new(StaffAndCustomers(Right::ReadRecords), "GET /v1/jobs/{id}", "getJob", "Shows a job.")
            .answers::<JobWithHistory>(200)
            .refuses(&["area_not_open"]),
        Operation::new(
            Staff(Right::ManageRecords),
            "PATCH /v1/jobs/{id}",
            "updateJob",
            "Says of a job what its number is, how far it has come, or a note.",
        )
        .takes::<JobUpdate>()
        .answers::<JobDetails>(200),
        Operation::new(
            Staff(Right::ManageRecords),
            "PUT /v1/companies/{id}/jobs/{reference+}",
            "putJob",
            "Enters or changes a job, by the operator's own reference.",
        )
        .takes::<JobChange>()
        .answers::<JobDetails>(200)
        .answers::<JobDetails>(201)
        .refuses(&["company_merged"]),
        Operation::new(
            Staff(Right::ManageRecords),
            "DELETE /v1/companies/{id}/jobs/{reference+}",
            "deleteJob",
            "Deletes a job.",
        )
        .answers_nothing()
        .refuses(&["company_merged"]),
        Operation::new(
            Staff(Right::ManageRecords),
            "POST /v1/companies/{id}/jobs",
            "pushJobs",
            "Enters or changes up to 500 jobs; each is taken or refused for itself.",
        )
        .takes::<Batch<JobChange>>()
        .answers::<BatchView>(200)
        .refuses(&["company_merged"]),
    ]
}
