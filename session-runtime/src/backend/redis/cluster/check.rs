//! What is wrong with a cluster, found when the application starts.

use futures_util::future::join_all;
use redis::{Cmd, ErrorKind, ServerErrorKind, cmd};

use super::nodes::{Nodes, cluster_slots, slots};
use super::slots::{Place, Told, slot_of};
use crate::backend::RecordKey;
use crate::backend::redis::Redis;
use crate::backend::redis::connector::{Connector, Source};
use crate::backend::redis::startup::{Trouble, check_role, log_in};

/// How many keys are looked at for one that a master has. There are 16,384 slots.
const TRIES: u64 = 200_000;

/// What requests send in a cluster alone, each with the right to it.
pub(in crate::backend::redis) fn commands() -> [(&'static str, Cmd); 3] {
    let mut info = cmd("CLUSTER");
    info.arg("INFO");
    [("+cluster|slots", cluster_slots()), ("+cluster|info", info), ("+asking", cmd("ASKING"))]
}

impl Redis {
    /// Each node that is named is a node of a cluster, unless it is down; and each master takes what requests will send.
    pub(in crate::backend::redis) async fn check_cluster(&self, any: &Connector, nodes: &Nodes) -> Result<(), Trouble> {
        let mut told = Vec::new();
        let mut missing = Vec::new();
        for (place, answer) in join_all(nodes.named().iter().map(async |place| (place, ask(any, place).await))).await {
            match answer {
                Ok(answer) => told.push(answer),
                Err(Trouble::Lasting(remedy, reason)) => return Err(Trouble::Lasting(remedy, at(place, &reason))),
                Err(Trouble::Passing(reason)) => missing.push(at(place, &reason)),
            }
        }
        // One that has left the cluster knows of no slots, or of few.
        let whole = told.iter().find(|told| told.uncovered().is_none());
        let Some(told) = whole else {
            let reason = match told.first().and_then(Told::uncovered) {
                Some(gaps) => format!("no master has the slots {gaps}"),
                None => format!("no node answers ({})", missing.join("; ")),
            };
            return Err(Trouble::Passing(reason));
        };
        for reason in missing {
            event!(warn, "session.backend_down", backend = "redis", error = %reason, "a node of the cluster can't be used yet");
        }
        nodes.learn(&told.places);
        let checked = told.masters().into_iter().map(async |place| (place, self.check_master(any, told, place).await));
        let mut passing = Ok(());
        for (place, checked) in join_all(checked).await {
            match checked {
                Ok(()) => {}
                Err(Trouble::Lasting(remedy, reason)) => return Err(Trouble::Lasting(remedy, at(place, &reason))),
                Err(Trouble::Passing(reason)) => passing = Err(Trouble::Passing(at(place, &reason))),
            }
        }
        passing
    }

    async fn check_master(&self, any: &Connector, told: &Told, place: &Place) -> Result<(), Trouble> {
        let mut link = log_in(&any.to(place)).await?;
        match self.key_of(told, place) {
            Some(key) => self.check_server(&mut link.connection, &key).await,
            None => Ok(()),
        }
    }

    /// A key that this master has.
    fn key_of(&self, told: &Told, place: &Place) -> Option<RecordKey> {
        let random: [u8; 32] = crate::id::random();
        (0..TRIES).find_map(|number| {
            let mut bytes = random;
            bytes[..8].copy_from_slice(&number.to_be_bytes());
            let key = RecordKey::from_bytes(bytes);
            let slot = usize::from(slot_of(self.record(&key).as_bytes()));
            let is_its =
                |(first, last, owner): &(usize, usize, Place)| owner == place && (*first..=*last).contains(&slot);
            told.ranges.iter().any(is_its).then_some(key)
        })
    }
}

/// What a node says of the cluster.
async fn ask(any: &Connector, place: &Place) -> Result<Told, Trouble> {
    let mut link = log_in(&any.to(place)).await?;
    check_role(&mut link.connection, Source::Cluster).await?;
    slots(&mut link.connection, &place.0).await.map_err(|error| {
        let is_right = error.kind() == ErrorKind::Server(ServerErrorKind::NoPerm);
        let remedy = if is_right {
            let rights = commands().map(|(right, _)| right).join(" ");
            format!("names a user who lacks rights; give it `{rights}`")
        } else {
            "names a server that refuses what sessions in a cluster need".to_owned()
        };
        Trouble::of(&error, remedy)
    })
}

fn at((host, port): &Place, reason: &str) -> String {
    format!("{host}:{port}: {reason}")
}
