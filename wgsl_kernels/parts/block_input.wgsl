// Blocks of 32 values of a linear's input. `LANES` may be any number from 4 on: what is best depends on the adapter.
override LANES: u32 = 32;
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
@group(0) @binding(1) var<storage, read> x: array<vec4<Elem>>;

fn x_block(token: u32, b: u32) -> Block {
    let at = token * (inner / 4u) + b * 8u;
    return Block(
        vec4<f32>(x[at]), vec4<f32>(x[at + 1u]), vec4<f32>(x[at + 2u]), vec4<f32>(x[at + 3u]),
        vec4<f32>(x[at + 4u]), vec4<f32>(x[at + 5u]), vec4<f32>(x[at + 6u]), vec4<f32>(x[at + 7u]),
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

var<workgroup> shares: array<vec4<f32>, LANES>;

// Lays a lane's share of four sums out for `row_total`. Call from uniform control flow.
fn share(sums: vec4<f32>, lane: u32) {
    shares[lane] = sums;
    workgroupBarrier();
}

fn row_total(i: u32) -> f32 {
    var sum = 0.0;
    for (var lane = 0u; lane < LANES; lane++) {
        sum += shares[lane][i];
    }
    return sum;
}
