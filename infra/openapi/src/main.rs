//! Prints the OpenAPI document.

fn main() {
    print!("{}", gatehouse_openapi::text());
}
