// Blocks of 32 values of a linear's input. LANES and TEAMS may be any numbers: what is best depends on the adapter.
override LANES: u32 = 32;
override TEAMS: u32;
override SHARES: u32 = LANES * TEAMS;
struct Block {
    a: vec4<f32>,
    b: vec4<f32>,
    c: vec4<f32>,
    d: vec4<f32>,
    e: vec4<f32>,
    f: vec4<f32>,
    g: vec4<f32>,
    h: vec4<f32>,
}

// Block `b` of a token's row, as it is stored.
fn stored_block(token: u32, b: u32) -> Block {
    let at = token * (inner / 4u) + b * 8u;
    return Block(
        x_quad(at), x_quad(at + 1u), x_quad(at + 2u), x_quad(at + 3u),
        x_quad(at + 4u), x_quad(at + 5u), x_quad(at + 6u), x_quad(at + 7u),
    );
}

fn sum_of(v: Block) -> f32 {
    return dot((v.a + v.b + v.c + v.d) + (v.e + v.f + v.g + v.h), vec4(1.0));
}

fn dot_block_of_four(rows: vec4<u32>, b: u32, v: Block) -> vec4<f32> {
    let total = sum_of(v);
    return vec4(
        dot_block(rows.x, b, v, total),
        dot_block(rows.y, b, v, total),
        dot_block(rows.z, b, v, total),
        dot_block(rows.w, b, v, total),
    );
}
