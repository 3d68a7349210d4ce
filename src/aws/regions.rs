//! The Regions that an account has enabled: those it got with its creation, and those it opted in to.

use aws_sdk_account::types::RegionOptStatus;

use super::{
    actions,
    call::{send, token},
    clients::Clients,
    fault::need,
};
use crate::{
    cloud::{Fault, Page},
    model::ids::Region,
};

const OPERATION: &str = actions::LIST_REGIONS;
/// Regions a page; the API takes 1 to 50.
const REGIONS_PER_PAGE: i32 = 50;

impl Clients {
    pub(super) async fn list_regions(&self, page: Option<String>) -> Result<Page<Region>, Fault> {
        let request = self
            .account
            .list_regions()
            .max_results(REGIONS_PER_PAGE)
            .region_opt_status_contains(RegionOptStatus::Enabled)
            .region_opt_status_contains(RegionOptStatus::EnabledByDefault)
            .set_next_token(token(page));
        let answer = send!(self.meter, read, OPERATION, request)?;
        let listed = need(OPERATION, "Regions", answer.regions)?;
        let items = listed.into_iter().map(|region| {
            let name = need(OPERATION, "RegionName", region.region_name)?;
            Ok(Region::new(name))
        });
        Ok(Page {
            items: items.collect::<Result<_, Fault>>()?,
            next: token(answer.next_token),
        })
    }
}
