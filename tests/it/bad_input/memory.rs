//! What refusing costs: nothing that stays.

use crate::house::{House, appointment};
use serde_json::json;

/// Says that a test runs in a process of its own.
const ALONE: &str = "STILE_TEST_ALONE";

/// Runs a test of this program in a process of its own: memory is counted by the process, and other tests run here.
fn alone(test: &str) {
    let program = std::env::current_exe().unwrap();
    let child =
        std::process::Command::new(program).args([test, "--exact", "--nocapture"]).env(ALONE, "1").output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&child.stdout), String::from_utf8_lossy(&child.stderr));
    eprint!("{err}");
    assert!(child.status.success() && out.contains("1 passed"), "{out}{err}");
}

/// Resident memory of this process in bytes, where the system tells it.
fn resident_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    Some(text.split(' ').nth(1)?.parse::<u64>().ok()? * 4096)
}

#[actix_web::test]
async fn a_thousand_bad_bodies_leave_neither_memory_nor_the_store_larger() {
    if std::env::var_os(ALONE).is_none() {
        return alone("bad_input::memory::a_thousand_bad_bodies_leave_neither_memory_nor_the_store_larger");
    }
    const BODY_BYTES: usize = 16 * 1024;
    const GROWTH_BYTES_MAX: u64 = 8 << 20;
    let house = House::open().await;
    house.portal.put(&appointment("kept", "1")).await.expect(201);
    let before = super::kept(&house);
    let push = async |round: usize| {
        for number in 0..1_000 {
            let mut body = appointment("bad", "666");
            // Different names, texts and places each time: nothing of them may stay.
            let long: String = format!("r{round}n{number}").repeat(BODY_BYTES / 4);
            body["comment"] = long[..BODY_BYTES - 2000].into();
            for place in 0..10 {
                body[format!("odd{round}x{number}x{place}")
                    .replace(|c: char| c.is_ascii_digit(), "z")
                    .repeat(number % 5 + 1)] = json!([number]);
                body[format!("n{round}-{number}-{place}")] = json!({"x": number});
            }
            let answer = house.portal.put(&body).await;
            assert!(matches!(answer.status, 400 | 422), "{}", answer.text);
        }
    };
    push(0).await;
    let warm = resident_bytes();
    push(1).await;
    assert_eq!(super::kept(&house), before, "a refused body left something behind");
    match (warm, resident_bytes()) {
        (Some(warm), Some(after)) => {
            let grown = after.saturating_sub(warm);
            eprintln!("1,000 bad bodies of {BODY_BYTES} bytes: {grown} bytes more in memory");
            assert!(grown < GROWTH_BYTES_MAX, "memory grew by {grown} bytes");
        }
        (_, _) => eprintln!("SKIPPED: this system does not tell how much memory a process has"),
    }
    house.close().await;
}
