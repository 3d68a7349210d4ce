//! The Regions of an account.

use super::pages::all_pages;
use crate::{
    cloud::{Cloud, Fault, FaultClass},
    model::ids::{Region, Scope},
};

const OPERATION: &str = "account:ListRegions";

/// All Regions that the account of this scope has enabled, sorted.
///
/// # Errors
/// When a page can't be read: half a list would say of the other half that it is gone. An empty list is no answer either,
/// since every account has Regions.
pub async fn enabled_regions(cloud: &dyn Cloud, scope: &Scope) -> Result<Vec<Region>, Fault> {
    let ask = |page| cloud.list_regions(scope, page);
    let listing = all_pages(OPERATION, ask).await;
    if let Some(fault) = listing.fault {
        return Err(fault);
    }
    let mut regions = listing.items;
    regions.sort();
    regions.dedup();
    if regions.is_empty() {
        return Err(Fault {
            operation: OPERATION,
            code: "EmptyAnswer".to_owned(),
            message: "no Region at all is enabled, it says: those known so far stay".to_owned(),
            class: FaultClass::Garbled,
        });
    }
    Ok(regions)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::fake::{Fake, scope};

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

    #[tokio::test]
    async fn an_account_without_regions_is_no_answer() {
        let fault = enabled_regions(&Fake::default(), &scope()).await;
        assert_eq!(fault.unwrap_err().class, FaultClass::Garbled);
    }
}
