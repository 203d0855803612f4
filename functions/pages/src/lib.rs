//! The pages that people see. Each address is the same shell; what is on it, the browser asks the API for. The function
//! itself reads the operator's settings, and of them only what anybody may see.

mod bundle;
#[cfg(debug_assertions)]
mod disk;
mod encoding;
mod face;
mod headers;
mod language;
mod shell;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use gatehouse::aws::Env;
use gatehouse::event::StartError;
use gatehouse::http::{ApiRequest, ApiResponse, Function, Problem};
use lambda_http::Body;
use lambda_http::http::{HeaderMap, HeaderValue, StatusCode, header};

use bundle::{File, bundle};
use encoding::Encoding;
use face::{Faces, tag};
use headers::Policies;
use shell::Preload;

/// What is served at the root beside pages.
const WORKER: &str = "sw.js";
const LICENCES: &str = "licences.txt";
/// Shells in each language, with and without a session: more are made only by who asks for many.
const MOST_KEPT: usize = 64;

/// The function.
pub struct Pages {
    faces: Faces,
    policies: Policies,
    /// Compressed shells, by their tags.
    kept: Mutex<HashMap<(String, &'static str), Vec<u8>>>,
}

impl Function for Pages {
    async fn connect(env: &Env) -> Result<Self, StartError> {
        Ok(Self { faces: Faces::new(env), policies: Policies::of(env)?, kept: Mutex::default() })
    }

    async fn handle(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        let query = request.query_of_page();
        match request.path() {
            "/sw.js" => {
                let file = bundle().file(WORKER).ok_or_else(Problem::not_found)?;
                unless_known(request, file, |headers| self.policies.worker(headers))
            }
            "/licences" => {
                let file = bundle().file(LICENCES).ok_or_else(Problem::not_found)?;
                unless_known(request, file, headers::asked_each_time)
            }
            "/logo" => self.logo().await,
            path => match path.strip_prefix("/a/") {
                Some(asset) => asset_of(request, asset),
                None => self.shell(request, preload(path, query, request.brings_session())).await,
            },
        }
    }
}

impl Pages {
    async fn shell(&self, request: &ApiRequest, preload: Preload) -> Result<ApiResponse, Problem> {
        let text = |name| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let face = self.faces.now().await?;
        let language = language::spoken(&face.languages, text(header::COOKIE), text(header::ACCEPT_LANGUAGE));
        let page = shell::html(&face, language.unwrap_or("en"), preload).map_err(Problem::internal)?;
        let page = page.ok_or_else(|| Problem::internal("the pages are not written in a language of the settings"))?;
        let (tag, encoding) = (tag(page.as_bytes()), encoding(request));
        let body = self.encoded(&tag, encoding, page.as_bytes()).map_err(Problem::internal)?;
        answer(request, body.into(), "text/html; charset=utf-8", encoding, Some(&tag), |headers| {
            self.policies.page(headers);
        })
    }

    /// A shell is compressed once, and not for each who looks.
    fn encoded(&self, tag: &str, encoding: Encoding, page: &[u8]) -> std::io::Result<Vec<u8>> {
        let Some(name) = encoding.name() else { return Ok(page.to_owned()) };
        let key = (tag.to_owned(), name);
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some(kept) = kept {
            return Ok(kept);
        }
        let body = encoding.encode(page)?;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST_KEPT {
            kept.clear();
        }
        kept.insert(key, body.clone());
        Ok(body)
    }

    /// Where it is too large to be in the page. Its address has its tag, so it may be kept.
    async fn logo(&self) -> Result<ApiResponse, Problem> {
        let face = self.faces.now().await?;
        let picture = face.picture.as_ref().ok_or_else(Problem::not_found)?;
        let mut response = ApiResponse::new(Body::Binary(picture.bytes.clone()));
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(picture.content_type));
        headers::immutable(response.headers_mut());
        Ok(response)
    }
}

/// What the page at an address asks for first. A session says that somebody has signed in, not who.
fn preload(path: &str, query: &str, session: bool) -> Preload {
    match path {
        "/" if session && query.is_empty() => Preload::Inbox,
        _ if session && (path == "/" || path.matches('/').count() > 1) => Preload::Me,
        _ => Preload::Nothing,
    }
}

/// `<folder>/<file>`: of another folder than this one's, a file is no longer there, or not yet.
fn asset_of(request: &ApiRequest, asset: &str) -> Result<ApiResponse, Problem> {
    let path = asset.split_once('/').filter(|(folder, _)| *folder == bundle().folder).map(|(_, path)| path);
    let file = path.and_then(|path| bundle().file(path)).ok_or_else(Problem::not_found)?;
    let encoding = encoding(request);
    answer(request, file.encoded(encoding).into(), file.content_type, encoding, None, headers::immutable)
}

fn unless_known(
    request: &ApiRequest,
    file: &'static File,
    said: impl FnOnce(&mut HeaderMap),
) -> Result<ApiResponse, Problem> {
    let encoding = encoding(request);
    answer(request, file.encoded(encoding).into(), file.content_type, encoding, Some(&tag(file.plain)), said)
}

fn encoding(request: &ApiRequest) -> Encoding {
    let accept = request.headers().get(header::ACCEPT_ENCODING);
    Encoding::accepted(accept.and_then(|value| value.to_str().ok()).unwrap_or_default())
}

fn answer(
    request: &ApiRequest,
    body: Cow<'static, [u8]>,
    content_type: &'static str,
    encoding: Encoding,
    tag: Option<&str>,
    said: impl FnOnce(&mut HeaderMap),
) -> Result<ApiResponse, Problem> {
    let mut response = ApiResponse::new(Body::Empty);
    said(response.headers_mut());
    if let Some(tag) = tag {
        // Weak: one text in several encodings.
        let quoted = format!("\"{tag}\"");
        let value = HeaderValue::from_str(&format!("W/{quoted}")).map_err(Problem::internal)?;
        response.headers_mut().insert(header::ETAG, value);
        if request.knows(&quoted) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return Ok(response);
        }
    }
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    if let Some(name) = encoding.name() {
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static(name));
    }
    *response.body_mut() = Body::Binary(body.into_owned());
    Ok(response)
}
