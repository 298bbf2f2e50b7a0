// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//! Speaks HTTP over TLS with rustls, which a test looks into.
//!
//!     tlspeer serve CERTIFICATE KEY FILE HEADER     answers each request with the file, and says where
//!     tlspeer get URL CERTIFICATE HEADER SEQUENCE   writes the response's body
//!
//! Certificates and keys are in DER.

use std::io::{Read, Result, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::{env, fs, io, thread};

use rustls::{Certificate, ClientConfig, ClientConnection, PrivateKey, RootCertStore, ServerConfig, ServerConnection, StreamOwned};

fn main() -> Result<()> {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["serve", certificate, key, file, header] => serve(certificate, key, file, header),
        ["get", url, certificate, header, sequence] => get(url, certificate, header, sequence),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "serve or get")),
    }
}

fn other<E: std::error::Error + Send + Sync + 'static>(e: E) -> io::Error {
    io::Error::new(io::ErrorKind::Other, e)
}

fn serve(certificate: &str, key: &str, file: &str, header: &str) -> Result<()> {
    let config = ServerConfig::builder()
        .with_safe_defaults()
        .with_no_client_auth()
        .with_single_cert(vec![Certificate(fs::read(certificate)?)], PrivateKey(fs::read(key)?))
        .map_err(other)?;
    let (config, body) = (Arc::new(config), Arc::new(fs::read(file)?));
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?);
    for stream in listener.incoming() {
        let (stream, config, body, header) = (stream?, config.clone(), body.clone(), header.to_lowercase());
        thread::spawn(move || {
            let connection = ServerConnection::new(config).map_err(other)?;
            answer(StreamOwned::new(connection, stream), &body, &header)
        });
    }
    Ok(())
}

fn answer(mut stream: StreamOwned<ServerConnection, TcpStream>, body: &[u8], header: &str) -> Result<()> {
    let request = head(&mut stream)?;
    let sequence = request.lines().find(|l| l.to_lowercase().starts_with(header)).unwrap_or("");
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n{sequence}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)?;
    stream.conn.send_close_notify();
    stream.flush()
}

/// Reads up to the end of a header.
fn head<S: Read>(stream: &mut S) -> Result<String> {
    let mut all = Vec::new();
    let mut some = [0; 1024];
    while !all.ends_with(b"\r\n\r\n") {
        match stream.read(&mut some)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            n => all.extend_from_slice(&some[..n]),
        }
    }
    String::from_utf8(all).map_err(other)
}

fn get(url: &str, certificate: &str, header: &str, sequence: &str) -> Result<()> {
    let (at, path) = url.trim_start_matches("https://").split_once('/').unwrap_or((url, ""));
    let mut roots = RootCertStore::empty();
    roots.add(&Certificate(fs::read(certificate)?)).map_err(other)?;
    let config = ClientConfig::builder().with_safe_defaults().with_root_certificates(roots).with_no_client_auth();
    let connection = ClientConnection::new(Arc::new(config), "localhost".try_into().map_err(other)?).map_err(other)?;
    let mut stream = StreamOwned::new(connection, TcpStream::connect(at)?);
    let request = format!("GET /{path} HTTP/1.1\r\nHost: {at}\r\n{header}: {sequence}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut response = Vec::new();
    stream.read_to_end(&mut response)?;
    let end = response.windows(4).position(|w| w == b"\r\n\r\n").ok_or(io::ErrorKind::InvalidData)?;
    io::stdout().write_all(&response[end + 4..])
}
