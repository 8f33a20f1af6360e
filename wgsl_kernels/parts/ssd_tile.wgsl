// The sums that a thread keeps in registers: 8 columns (rows of a state, or tokens) of 8 channels of a head. A
// workgroup has 8 x 8 threads; neighbours have neighbouring channels, heads one behind the other. None waits for another.
const SIDE: u32 = 8u;
const TILE: u32 = 8u;

struct Sums {
    low0: mat4x4<f32>,  // the first four columns, of the first four channels
    low1: mat4x4<f32>,
    high0: mat4x4<f32>,
    high1: mat4x4<f32>,
}

fn add_products(sums: ptr<function, Sums>, x0: vec4<f32>, x1: vec4<f32>, low: vec4<f32>, high: vec4<f32>) {
    (*sums).low0 += outer(x0, low);
    (*sums).low1 += outer(x1, low);
    (*sums).high0 += outer(x0, high);
    (*sums).high1 += outer(x1, high);
}

fn outer(x: vec4<f32>, by: vec4<f32>) -> mat4x4<f32> {
    return mat4x4(x * by.x, x * by.y, x * by.z, x * by.w);
}

fn scale_columns(sums: ptr<function, Sums>, low: vec4<f32>, high: vec4<f32>) {
    (*sums).low0 = scaled((*sums).low0, low);
    (*sums).low1 = scaled((*sums).low1, low);
    (*sums).high0 = scaled((*sums).high0, high);
    (*sums).high1 = scaled((*sums).high1, high);
}

fn scaled(four: mat4x4<f32>, by: vec4<f32>) -> mat4x4<f32> {
    return mat4x4(four[0] * by.x, four[1] * by.y, four[2] * by.z, four[3] * by.w);
}

// The head of a workgroup's lane, and the first quad of its channels.
fn channels_of(group: u32, lane: u32) -> vec2<u32> {
    let tiles = (head_dim + TILE - 1u) / TILE;
    let tile = group * SIDE + lane % SIDE;
    return vec2(tile / tiles, tile % tiles * 2u);
}
