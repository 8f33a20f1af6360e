alias Elem = f32;
// out = x * weight^T for many tokens: a workgroup owns 64 tokens x 64 rows of the weight and walks the length in steps
// of 16. Both sides of a step are staged in workgroup memory as f32, the weight unpacked once. A thread owns every 8th
// token and row, 8 x 8 of them as four matrices, so that neighbours touch neighbouring words.
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> x: array<Elem>;
override inner: u32;
override rows: u32;
override out_stride: u32;
override column: u32;
override alpha: f32;

const THREADS: u32 = 64u;
const TILE: u32 = 64u;
const DEPTH4: u32 = 4u; // vec4s along the length in one step
const STRIDE: u32 = 8u; // between the tokens, and the rows, of one thread
const HALF: u32 = 32u;
var<workgroup> x_tile: array<vec4<f32>, 256>; // [DEPTH4][TILE]
var<workgroup> weight_tile: array<vec4<f32>, 256>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let row = group.x * TILE + lane % STRIDE;
    let token = group.y * TILE + lane / STRIDE;
    var sums00 = mat4x4<f32>(); // a column a token, a component a row; first index token half, second row half
    var sums01 = mat4x4<f32>();
    var sums10 = mat4x4<f32>();
    var sums11 = mat4x4<f32>();
    for (var start = 0u; start * 4u < inner; start += DEPTH4) {
        stage(group.y * TILE, group.x * TILE, start, lane);
        workgroupBarrier();
        for (var k = 0u; k < DEPTH4 * TILE; k += TILE) {
            let weights0 = weights_at(k + lane % STRIDE);
            let weights1 = weights_at(k + lane % STRIDE + HALF);
            let x0 = x_at(k + lane / STRIDE);
            sums00 += weights0 * x0;
            sums01 += weights1 * x0;
            let x1 = x_at(k + lane / STRIDE + HALF);
            sums10 += weights0 * x1;
            sums11 += weights1 * x1;
        }
        workgroupBarrier();
    }
    finish(token, row, sums00);
    finish(token, row + HALF, sums01);
    finish(token + HALF, row, sums10);
    finish(token + HALF, row + HALF, sums11);
}

// Past the last token or row the last one is staged again: what comes of it is not written.
fn stage(first_token: u32, first_row: u32, start: u32, lane: u32) {
    for (var i = lane; i < DEPTH4 * TILE; i += THREADS) {
        let slot = i % DEPTH4 * TILE + i / DEPTH4;
        x_tile[slot] = x4(min(first_token + i / DEPTH4, step.tokens - 1u), start + i % DEPTH4);
        weight_tile[slot] = weight4(min(first_row + i / DEPTH4, rows - 1u), start + i % DEPTH4);
    }
}

fn finish(token: u32, row: u32, sums: mat4x4<f32>) {
    for (var t = 0u; t < 4u; t++) {
        for (var r = 0u; r < 4u; r++) {
            if token + t * STRIDE < step.tokens && row + r * STRIDE < rows {
                epilogue(token + t * STRIDE, row + r * STRIDE, sums[t][r]);
            }
        }
    }
}
