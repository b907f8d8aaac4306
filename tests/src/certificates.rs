//! Certificates of the tests' own, signed by an authority of their own.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};

/// Who signs certificates.
#[derive(Debug)]
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// A certificate and its private key, in PEM format.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The certificate.
    pub certificate: String,
    /// Its private key.
    pub key: String,
}

/// When a certificate holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validity {
    /// Now.
    Current,
    /// Not any more.
    Expired,
    /// Not yet.
    Future,
}

impl Authority {
    /// A new one, unlike any other.
    ///
    /// # Panics
    ///
    /// When no key can be made.
    #[expect(clippy::new_without_default, reason = "a default would be the same each time")]
    pub fn new() -> Self {
        let key = KeyPair::generate().expect("a key can be made");
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "An authority for tests");
        let pem = params.self_signed(&key).expect("a certificate can be signed").pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// Its own certificate, which is what one trusts.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// A certificate for these names, which holds now.
    pub fn sign(&self, names: &[&str]) -> Identity {
        self.sign_for(names, Validity::Current)
    }

    /// A certificate for these names.
    ///
    /// # Panics
    ///
    /// When a name is none.
    pub fn sign_for(&self, names: &[&str], validity: Validity) -> Identity {
        let key = KeyPair::generate().expect("a key can be made");
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(names).expect("names of servers");
        let (from, to) = match validity {
            Validity::Current => (2000, 4000),
            Validity::Expired => (2000, 2001),
            Validity::Future => (3999, 4000),
        };
        (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(to, 1, 1));
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate can be signed").pem();
        Identity { certificate, key: key.serialize_pem() }
    }
}
