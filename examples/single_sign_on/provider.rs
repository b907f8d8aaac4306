//! The provider, as the application sees it: the part of the crate `openidconnect`.

use std::env;
use std::error::Error;

use openidconnect::core::{CoreAuthenticationFlow, CoreClient, CoreProviderMetadata};
use openidconnect::reqwest;
use openidconnect::{
    AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet, EndpointNotSet, EndpointSet, IssuerUrl,
    Nonce, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope, TokenResponse as _,
};
use serde::Deserialize;

/// What the provider's own description names, and what it does not.
type Client =
    CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>;

pub(crate) struct Provider {
    client: Client,
    http: reqwest::Client,
}

/// How the provider sends the browser back.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum AnswerBy {
    #[default]
    Get,
    Post,
}

/// Where the browser goes, and what proves the answer.
pub(crate) struct Departure {
    pub(crate) url: String,
    pub(crate) state: CsrfToken,
    pub(crate) nonce: Nonce,
    pub(crate) pkce_verifier: PkceCodeVerifier,
}

pub(crate) struct Person {
    pub(crate) subject: String,
    pub(crate) name: String,
}

impl Provider {
    /// Asks the provider where its pages are, and for its keys.
    pub(crate) async fn discover(port: u16) -> Result<Self, Box<dyn Error>> {
        let variable = |name: &str, default: &str| env::var(name).unwrap_or_else(|_| default.to_owned());
        let issuer = variable("ISSUER", "http://127.0.0.1:4000");
        let public_url = variable("PUBLIC_URL", &format!("http://localhost:{port}"));
        // A redirect could lead a request with the client's secret elsewhere.
        let http = reqwest::ClientBuilder::new().redirect(reqwest::redirect::Policy::none()).build()?;
        let metadata = CoreProviderMetadata::discover_async(IssuerUrl::new(issuer.clone())?, &http)
            .await
            .map_err(|error| format!("the provider {issuer} can't be asked ({error}); set ISSUER to one that runs"))?;
        let id = ClientId::new(variable("CLIENT_ID", "example"));
        let secret = ClientSecret::new(variable("CLIENT_SECRET", "example-secret"));
        let client = CoreClient::from_provider_metadata(metadata, id, Some(secret))
            .set_redirect_uri(RedirectUrl::new(format!("{public_url}/callback"))?);
        Ok(Self { client, http })
    }

    pub(crate) fn depart(&self, by: AnswerBy) -> Departure {
        let (challenge, pkce_verifier) = PkceCodeChallenge::new_random_sha256();
        let flow = CoreAuthenticationFlow::AuthorizationCode;
        let request = self.client.authorize_url(flow, CsrfToken::new_random, Nonce::new_random);
        let request = request.add_scope(Scope::new("profile".into())).set_pkce_challenge(challenge);
        let request = match by {
            AnswerBy::Get => request,
            AnswerBy::Post => request.add_extra_param("response_mode", "form_post"),
        };
        let (url, state, nonce) = request.url();
        Departure { url: url.into(), state, nonce, pkce_verifier }
    }

    /// Exchanges the code, and checks the signature, the issuer, the audience, the age and the nonce of what comes.
    pub(crate) async fn identify(
        &self,
        code: AuthorizationCode,
        pkce_verifier: PkceCodeVerifier,
        nonce: &Nonce,
    ) -> Result<Person, Box<dyn Error + Send + Sync>> {
        let exchange = self.client.exchange_code(code)?.set_pkce_verifier(pkce_verifier);
        let tokens = exchange.request_async(&self.http).await?;
        let id_token = tokens.id_token().ok_or("the provider sent no ID token")?;
        let claims = id_token.claims(&self.client.id_token_verifier(), nonce)?;
        let subject = claims.subject().to_string();
        let name =
            claims.name().and_then(|name| name.get(None)).map_or_else(|| subject.clone(), |name| name.to_string());
        Ok(Person { subject, name })
    }
}
