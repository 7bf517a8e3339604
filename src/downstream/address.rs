//! Which addresses may be called.
//!
//! A base address comes from settings, but the name in it is resolved by a name server that may be somebody else's:
//! without a check, whoever answers for the name could point the gateway and its credential at a machine inside the
//! trust (request forgery). So the check stands where the address is known for certain, in the resolver itself; a
//! name that changes between check and call cannot slip past.

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, ToSocketAddrs};

/// True for an address on the public internet. Special-purpose ranges of the IANA registries (RFC 6890 and its
/// updates) are not.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation()
        || a == 0
        || a >= 240 // reserved, and the broadcast address
        || (a == 100 && (64..128).contains(&b)) // shared by carriers, RFC 6598
        || (a == 198 && (18..20).contains(&b)) // benchmarks, RFC 2544
        || (a == 192 && b == 0 && c == 0) // protocol assignments, RFC 6890
        || (a == 192 && b == 88 && c == 99); // 6to4 relays, RFC 7526
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(v4) = address.to_ipv4_mapped() {
        return is_public_v4(v4);
    }
    let [first, second, third, fourth, fifth, sixth, high, low] = address.segments();
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    if (first, second, third, fourth, fifth, sixth) == (0x64, 0xff9b, 0, 0, 0, 0) {
        return is_public_v4(embedded(high, low)); // NAT64, RFC 6052
    }
    if first == 0x2002 {
        return is_public_v4(embedded(second, third)); // 6to4, RFC 3056
    }
    // Global unicast is 2000::/3 (RFC 4291); of it 2001::/23 is for protocols and 2001:db8::/32 for documentation.
    first & 0xe000 == 0x2000 && !(first == 0x2001 && (second < 0x200 || second == 0xdb8)) && first != 0x3fff
}

/// The name was resolved, and every address of it is private.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the name stands for private addresses only, and `allow_private` is not set")]
pub(super) struct PrivateAddress;

/// The operating system's resolver, public addresses only.
pub(super) struct PublicResolver;

impl Resolve for PublicResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_owned();
        Box::pin(async move {
            let found = tokio::task::spawn_blocking(move || (host.as_str(), 0).to_socket_addrs()).await??;
            let public: Vec<_> = found.filter(|socket| is_public(socket.ip())).collect();
            if public.is_empty() {
                return Err(PrivateAddress.into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_public_internet_are_public() {
        for (address, expected) in [
            ("20.49.104.1", true),
            ("172.32.0.1", true),
            ("100.128.0.1", true),
            ("2a01:4b00::1", true),
            ("2606:4700::1111", true),
            ("::ffff:20.49.104.1", true),
            ("127.0.0.1", false),
            ("127.8.8.8", false),
            ("10.1.2.3", false),
            ("172.16.0.1", false),
            ("172.31.255.255", false),
            ("192.168.1.1", false),
            ("169.254.169.254", false),
            ("100.64.0.1", false),
            ("0.0.0.0", false),
            ("198.18.0.1", false),
            ("192.0.0.8", false),
            ("203.0.113.7", false),
            ("224.0.0.1", false),
            ("255.255.255.255", false),
            ("::", false),
            ("::1", false),
            ("::ffff:10.0.0.1", false),
            ("::ffff:127.0.0.1", false),
            ("64:ff9b::a00:1", false),
            ("64:ff9b::1431:6801", true),
            ("2002:7f00:1::", false),
            ("2001:db8::1", false),
            ("2001::1", false),
            ("3fff::1", false),
            ("fc00::1", false),
            ("fd12:3456::1", false),
            ("fe80::1", false),
            ("ff02::1", false),
        ] {
            assert_eq!(is_public(address.parse().unwrap()), expected, "{address}");
        }
    }
}
