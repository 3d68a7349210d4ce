//! The Regions of an account.

use super::pages::all_pages;
use crate::{
    cloud::{Cloud, Fault},
    model::ids::{Region, Scope},
};

/// All Regions that the account of this scope has enabled, sorted.
///
/// # Errors
/// When a page can't be read: half a list would say of the other half that it is gone.
pub async fn enabled_regions(cloud: &dyn Cloud, scope: &Scope) -> Result<Vec<Region>, Fault> {
    let ask = |page| cloud.list_regions(scope, page);
    let listing = all_pages("account:ListRegions", ask).await;
    if let Some(fault) = listing.fault {
        return Err(fault);
    }
    let mut regions = listing.items;
    regions.sort();
    regions.dedup();
    Ok(regions)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cloud::FaultClass,
        collect::fake::{Fake, scope},
    };

    #[tokio::test]
    async fn all_pages_or_none() {
        let names = ["us-west-2", "eu-west-1", "us-east-1"];
        let fake = Fake {
            regions: names.map(Region::new).to_vec(),
            ..Fake::default()
        };
        let found = enabled_regions(&fake, &scope()).await.unwrap();
        assert_eq!(
            found,
            ["eu-west-1", "us-east-1", "us-west-2"].map(Region::new)
        );
        fake.fail("account:ListRegions", 2, FaultClass::Server);
        let fault = enabled_regions(&fake, &scope()).await.unwrap_err();
        assert_eq!(fault.class, FaultClass::Server);
    }
}
