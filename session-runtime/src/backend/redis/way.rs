//! What requests are sent by: one server, or the nodes of a cluster.

use std::sync::Arc;

use redis::RedisResult;

#[cfg(feature = "redis-cluster")]
use super::cluster::Cluster;
use super::connection::{Answer, Connection, Loss, Request, Use};
use super::connector::Connector;
use super::wakers::Wakers;

pub(super) enum Way {
    Alone(Connection),
    #[cfg(feature = "redis-cluster")]
    Cluster(Cluster),
}

impl Way {
    /// Nothing is connected before it is needed.
    pub(super) fn new(connector: Connector, prefix: &str, channel: &str, wakers: Arc<Wakers>) -> Self {
        #[cfg(feature = "redis-cluster")]
        if connector.nodes().is_some() {
            return Self::Cluster(Cluster::new(connector, prefix, channel, wakers));
        }
        Self::Alone(Connection::new(Arc::new(connector), prefix, channel, wakers, Use::default()))
    }

    /// Sends a request to the server that has its keys.
    pub(super) async fn send(&self, request: Request<'_>, loss: Loss) -> RedisResult<Answer> {
        match self {
            Self::Alone(connection) => connection.send(request, loss).await,
            #[cfg(feature = "redis-cluster")]
            Self::Cluster(cluster) => cluster.send(request, loss).await,
        }
    }

    /// Hears what is published from now on, whichever server it is published on.
    pub(super) async fn subscribe(&self) -> RedisResult<()> {
        self.any().subscribe().await
    }

    pub(super) fn connector(&self) -> &Arc<Connector> {
        self.any().connector()
    }

    /// The connection to the server, or to any node.
    fn any(&self) -> &Connection {
        match self {
            Self::Alone(connection) => connection,
            #[cfg(feature = "redis-cluster")]
            Self::Cluster(cluster) => cluster.any_node(),
        }
    }

    /// Whether keys may move to another server between two commands.
    pub(super) fn is_cluster(&self) -> bool {
        match self {
            Self::Alone(_) => false,
            #[cfg(feature = "redis-cluster")]
            Self::Cluster(_) => true,
        }
    }
}
