//! The console as a browser without scripts uses it.

use anyhow::{Context, Result};
use reqwest::{Client, Response, redirect::Policy};

use crate::server::TestServer;

/// A browser with a session. It follows no redirection by itself, so that a test sees where it leads.
pub struct Browser {
    http: Client,
    address: String,
    cookie: String,
}

impl Browser {
    /// Signs in with a new token of this role, as who works for the whole archive.
    pub async fn sign_in(server: &TestServer, role: &str) -> Result<Self> {
        let token = server.command(&["token", "create", "--role", role, "--staff", "B1"]).await?;
        let http = Client::builder().no_proxy().redirect(Policy::none()).build()?;
        let (address, body) = (server.address().to_owned(), format!("token={}", token.trim()));
        let form = http.post(format!("{address}/sign-in")).header("sec-fetch-site", "same-origin");
        let form = form.header("content-type", "application/x-www-form-urlencoded").body(body);
        let answer = form.send().await?;
        let cookie = answer.headers().get("set-cookie").context("nobody was signed in")?.to_str()?;
        let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        Ok(Self { http, address, cookie })
    }

    /// The text of a page, in English.
    pub async fn page(&self, path: &str) -> Result<String> {
        let request = self.http.get(format!("{}{path}", self.address)).header("cookie", &self.cookie);
        Ok(request.header("accept-language", "en").send().await?.text().await?)
    }

    /// Sends a form without fields.
    pub async fn press(&self, path: &str) -> Result<Response> {
        self.send_form(path, "").await
    }

    /// Sends a form, its fields as a browser writes them down.
    pub async fn send_form(&self, path: &str, fields: &str) -> Result<Response> {
        let request = self.http.post(format!("{}{path}", self.address)).header("cookie", &self.cookie);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        Ok(request.header("sec-fetch-site", "same-origin").body(fields.to_owned()).send().await?)
    }
}
