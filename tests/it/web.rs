//! The status page, the API and the commands that ask it, over real HTTP on loopback.

use std::{future::Future, net::SocketAddr, sync::Arc};

use bedrock_ops_alert::{
    model::{book::Book, policy::Settings},
    runtime::shared::{Health, Posted, Shared},
    web,
};
use tokio::{net::TcpListener, sync::mpsc};

mod access;
mod alb;
mod api;
mod asked;
mod books;
mod browser;
mod commands;
mod decide;
mod history;
mod hostile;
mod metrics;
mod moments;
mod openapi;
mod orders;
mod page;
mod ran;
mod said;

/// A served book: where it is served, and the receiving end of its orders.
struct Served {
    url: String,
    address: SocketAddr,
    shared: Arc<Shared>,
    inbox: mpsc::Receiver<Posted>,
}

/// Serves this book for as long as `body` runs.
async fn serving<T, F>(known: (Book, Health), body: impl FnOnce(Served) -> F) -> T
where
    F: Future<Output = T>,
{
    serving_with(books::settings(), known, body).await
}

/// The same, for a configuration of the test's own.
async fn serving_with<T, F>(
    settings: Settings,
    (book, health): (Book, Health),
    body: impl FnOnce(Served) -> F,
) -> T
where
    F: Future<Output = T>,
{
    let (shared, inbox) = Shared::new(settings, true, book);
    *shared.health_mut() = health;
    let shared = Arc::new(shared);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let served = Served {
        url: format!("http://{address}"),
        address,
        shared: Arc::clone(&shared),
        inbox,
    };
    tokio::select! {
        ended = web::serve(shared, listener, std::future::pending()) => panic!("the server ended: {ended:?}"),
        result = body(served) => result,
    }
}

/// Status and body of a GET.
async fn get(url: &str) -> (u16, String) {
    let response = client().get(url).send().await.unwrap();
    let status = response.status().as_u16();
    (status, response.text().await.unwrap())
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}
