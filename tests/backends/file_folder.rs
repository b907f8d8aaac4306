//! What becomes of the folder: a volume that goes and comes back, a folder that is tidied away, one that others can write.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use axum::http::StatusCode;
use session_runtime::backend::{Backend, File, Holder, Leases, Sweep};
use session_tests::{Client, Served, serve};
use tempfile::TempDir;

use crate::{
    file::{KEY, LIFETIME, START, below, create, has, lease, record, touch},
    ledger::{Books, Terms, router},
};

const KEYS: &str = "kXUQ1cWZ7mHqLsTzRn3vB8yEoAdFgJiKpMxNwCbVtYU=";

/// A path that leads to a volume, or to what is left of it when that isn't mounted: an empty folder of another file
/// system.
struct Mount {
    path: PathBuf,
    volume: TempDir,
    rest: TempDir,
}

impl Mount {
    fn new() -> Self {
        let volume = tempfile::tempdir_in("/dev/shm").expect("there is memory to put files in");
        let rest = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let device = |folder: &TempDir| fs::metadata(folder.path()).unwrap().dev();
        assert_ne!(device(&volume), device(&rest), "two file systems");
        let mount = Self { path: rest.path().join("mounted"), volume, rest };
        fs::create_dir(mount.rest.path().join("empty")).unwrap();
        mount.lead_to(mount.volume.path());
        mount
    }

    fn lead_to(&self, folder: &Path) {
        _ = fs::remove_file(&self.path);
        symlink(folder, &self.path).unwrap();
    }

    fn unmount(&self) {
        self.lead_to(&self.rest.path().join("empty"));
    }

    fn mount(&self) {
        self.lead_to(self.volume.path());
    }
}

#[tokio::test]
async fn a_volume_that_is_not_mounted_is_out_of_reach_and_not_empty() {
    let mount = Mount::new();
    // The folder itself, and one in it.
    for root in [mount.path.clone(), mount.path.join("app/User")] {
        let file = File::new(&root).unwrap();
        create(&file, &KEY).await;
        for way in ["an empty folder", "none"] {
            match way {
                "none" => fs::remove_file(&mount.path).unwrap(),
                _ => mount.unmount(),
            }
            let (touch, holder) = (touch(START), lease(Holder::new()));
            assert!(file.load(&KEY, touch).await.is_err(), "{way}");
            assert!(file.create(&KEY, record(1, "x"), touch).await.is_err());
            assert!(file.update(&KEY, 1, record(2, "x"), touch).await.is_err());
            assert!(file.delete(&KEY).await.is_err());
            assert!(file.acquire(&KEY, holder, touch).await.is_err());
            assert!(file.save(&KEY, holder, 1, record(2, "x"), touch).await.is_err());
            assert!(file.sweep(START.plus(LIFETIME), 10).await.is_err());
            assert_eq!(below(&mount.rest.path().join("empty")), [] as [&Path; 0], "no store is begun in its place");
            mount.mount();
            assert!(has(&file, &KEY).await);
        }
    }
}

async fn served(root: &Path) -> Served {
    let terms = Terms { lease: LIFETIME, wait: Duration::from_secs(60), deadline: Duration::from_secs(10) };
    let books = Books::open(Arc::new(File::new(root).unwrap()), KEYS, terms).await.unwrap();
    serve(router(books)).await
}

async fn started(served: &Served) -> Client {
    let client = served.client();
    for path in ["/start", "/append/1"] {
        assert!(client.post(path).await.status.is_success(), "{path}");
    }
    client
}

#[tokio::test]
async fn while_the_volume_is_not_mounted_a_request_is_answered_503_and_afterwards_all_is_there() {
    let mount = Mount::new();
    let served = served(&mount.path.join("sessions")).await;
    let client = started(&served).await;
    mount.unmount();
    assert_eq!(client.get("/entries").await.status, StatusCode::SERVICE_UNAVAILABLE);
    for path in ["/append/2", "/update/2", "/end"] {
        assert_eq!(client.post(path).await.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
    }
    mount.mount();
    assert_eq!(client.get("/entries").await.text(), "[1]");
    assert_eq!(client.post("/append/3").await.status, StatusCode::OK);
    assert_eq!(client.get("/entries").await.text(), "[1,3]");
}

#[tokio::test]
async fn a_folder_that_is_tidied_away_under_the_server_is_made_again_and_logins_work() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("var/sessions");
    let served = served(&root).await;
    // All of it, the folder it is in as well, what is in it, and the one file that is never written.
    let ways: [fn(&Path) -> std::io::Result<()>; 4] = [
        |root| fs::remove_dir_all(root),
        |root| fs::remove_dir_all(root.parent().unwrap()),
        |root| fs::remove_dir_all(root).and_then(|()| fs::create_dir(root)),
        |root| fs::remove_file(root.join("sweeper")),
    ];
    for (number, tidy) in ways.into_iter().enumerate() {
        // A login is the first to find out, or somebody who is logged in.
        for method in ["login", "read", "write"] {
            let client = started(&served).await;
            tidy(&root).unwrap();
            let ended = if number == 3 { StatusCode::OK } else { StatusCode::UNAUTHORIZED };
            match method {
                "read" => assert_eq!(client.get("/entries").await.status, ended, "{number}"),
                "write" => assert_eq!(client.post("/append/2").await.status, ended, "{number}"),
                _ => {}
            }
            let client = started(&served).await;
            assert_eq!(client.get("/entries").await.text(), "[1]", "{number} {method}");
            let mode = fs::metadata(&root).unwrap().permissions().mode() & 0o777;
            assert!(mode == 0o700 || number > 1, "{mode:o}");
        }
    }
}

#[test]
fn a_folder_that_every_user_can_write_is_refused_and_one_in_it_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let open = |mode| {
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).unwrap();
        File::new(folder.path()).map(drop).map_err(|error| error.to_string())
    };
    for mode in [0o777, 0o702, 0o1777] {
        let error = open(mode).unwrap_err();
        assert!(error.contains("chmod 700") && error.contains(folder.path().to_str().unwrap()), "{mode:o}: {error}");
        assert!(File::new(folder.path().join(format!("own-{mode:o}"))).is_ok(), "{mode:o}");
    }
    for mode in [0o700, 0o750, 0o755] {
        assert_eq!(open(mode), Ok(()), "{mode:o}");
    }
}
