//! The operations as JSON in and JSON out, with member names as in the AWS service models; one file a service.

mod account;
mod bedrock;
mod cloudwatch;
mod iam;
mod logs;
mod quotas;
mod sns;
mod sts;
mod support;

use serde_json::Value;

use super::{ApiError, Call, Service, kernel::Kernel};
use crate::model::ids::Scope;

/// Carries out one call.
pub(crate) fn handle(kernel: &mut Kernel, call: &Call) -> Result<Value, ApiError> {
    let scope = Scope {
        account: call.account.clone(),
        region: call.region.clone(),
    };
    let input = Input(&call.input);
    count(kernel, call);
    match call.service {
        Service::CloudWatch => cloudwatch::handle(kernel, &scope, &call.operation, input),
        Service::ServiceQuotas => quotas::handle(kernel, &scope, call, input),
        Service::Support => support::handle(kernel, call, input),
        Service::Sns => sns::handle(kernel, &scope, &call.operation, input),
        Service::Account => account::handle(kernel, &scope, &call.operation, input),
        Service::Bedrock => bedrock::handle(kernel, &scope, &call.operation, input),
        Service::Sts => sts::handle(kernel, call, input),
        Service::Iam => iam::handle(kernel, &call.account, &call.operation, input),
        Service::Logs => logs::handle(kernel, &scope, &call.operation, input),
    }
}

/// Counts a call that arrived, also where the wire refuses it before it is handled.
pub(crate) fn count(kernel: &mut Kernel, call: &Call) {
    let series = match (call.service, call.operation.as_str()) {
        (Service::CloudWatch, "GetMetricData") => Input(&call.input).list("MetricDataQueries"),
        _ => Ok([].as_slice()),
    };
    let operation = format!("{}:{}", call.service.prefix(), call.operation);
    kernel.count(&operation, series.map_or(0, <[Value]>::len));
}

fn unknown(operation: &str) -> ApiError {
    ApiError::client(
        "UnknownOperationException",
        &format!("the simulated AWS has no operation `{operation}`"),
    )
}

/// A call's input, with the checks that every service makes.
#[derive(Clone, Copy, Debug)]
struct Input<'a>(&'a Value);

impl<'a> Input<'a> {
    fn member(self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    fn text(self, name: &str) -> Result<Option<&'a str>, ApiError> {
        let value = self.member(name);
        value
            .map(|value| value.as_str().ok_or_else(|| wrong(name, "a string")))
            .transpose()
    }

    fn required(self, name: &str) -> Result<&'a str, ApiError> {
        self.text(name)?.ok_or_else(|| missing(name))
    }

    fn number(self, name: &str) -> Result<Option<f64>, ApiError> {
        let value = self.member(name);
        value
            .map(|value| value.as_f64().ok_or_else(|| wrong(name, "a number")))
            .transpose()
    }

    fn whole(self, name: &str) -> Result<Option<i64>, ApiError> {
        let value = self.member(name);
        value
            .map(|value| value.as_i64().ok_or_else(|| wrong(name, "a whole number")))
            .transpose()
    }

    fn flag(self, name: &str) -> Result<Option<bool>, ApiError> {
        let value = self.member(name);
        value
            .map(|value| value.as_bool().ok_or_else(|| wrong(name, "true or false")))
            .transpose()
    }

    fn list(self, name: &str) -> Result<&'a [Value], ApiError> {
        match self.member(name) {
            None => Ok(&[]),
            Some(value) => value
                .as_array()
                .map(Vec::as_slice)
                .ok_or_else(|| wrong(name, "a list")),
        }
    }

    fn texts(self, name: &str) -> Result<Vec<&'a str>, ApiError> {
        let items = self.list(name)?.iter();
        items
            .map(|item| {
                item.as_str()
                    .ok_or_else(|| wrong(name, "a list of strings"))
            })
            .collect()
    }
}

fn missing(name: &str) -> ApiError {
    ApiError::client(
        "ValidationException",
        &format!(
            "1 validation error detected: Value at '{name}' failed to satisfy constraint: Member must not be null"
        ),
    )
}

fn wrong(name: &str, kind: &str) -> ApiError {
    ApiError::client(
        "SerializationException",
        &format!("'{name}' must be {kind}"),
    )
}

/// A page of a listing: how many items at most, where it begins, and the code for a bad token.
struct Paging<'a> {
    token: Option<&'a str>,
    size: Option<i64>,
    least: i64,
    most: i64,
    bad_token: &'static str,
}

impl Paging<'_> {
    /// The items of the page, and the token of the next.
    fn cut<T>(&self, all: Vec<T>) -> Result<(Vec<T>, Option<String>), ApiError> {
        let size = self.size.unwrap_or(self.most);
        if !(self.least..=self.most).contains(&size) {
            let text = format!(
                "the page size must be between {} and {}",
                self.least, self.most
            );
            return Err(ApiError::client("ValidationException", &text));
        }
        page(
            all,
            self.token,
            usize::try_from(size).unwrap_or(1),
            self.bad_token,
        )
    }
}

/// Cuts a page out of a whole list.
pub(crate) fn page<T>(
    all: Vec<T>,
    token: Option<&str>,
    size: usize,
    bad_token: &str,
) -> Result<(Vec<T>, Option<String>), ApiError> {
    let from: usize = match token {
        None => 0,
        Some(token) => token
            .strip_prefix("p-")
            .and_then(|number| number.parse().ok())
            .filter(|from| *from <= all.len())
            .ok_or_else(|| ApiError::client(bad_token, "The pagination token is not valid."))?,
    };
    let until = from.saturating_add(size.max(1));
    let next = (until < all.len()).then(|| format!("p-{until}"));
    Ok((all.into_iter().skip(from).take(size.max(1)).collect(), next))
}
