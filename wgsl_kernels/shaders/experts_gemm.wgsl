alias Elem = f32;
// An expert's matrix times all that goes to it: a workgroup owns 32 of the expert's pairs (token, slot) x 64 rows and
// walks the length in steps of 16, as gemm.wgsl does, so that a weight is unpacked once for 32 pairs. No expert has more
// pairs than there are tokens; workgroups past its last pair end at once, before they read the weight.
@group(0) @binding(1) var<storage, read> x: array<Elem>;
@group(0) @binding(2) var<storage, read_write> out: array<Elem>;
@group(0) @binding(5) var<storage, read> bounds: array<u32>;
@group(0) @binding(6) var<storage, read> pairs: array<u32>;
override inner: u32;
override rows: u32;
override slots: u32;
override first_expert: u32;

const THREADS: u32 = 64u;
const PAIRS: u32 = 32u;
const ROWS: u32 = 64u;
const DEPTH4: u32 = 4u; // vec4s along the length in one step
const STRIDE: u32 = 8u; // between the pairs, and the rows, of one thread
const HALF: u32 = 32u;
var<workgroup> x_tile: array<vec4<f32>, 128>; // [DEPTH4][PAIRS]
var<workgroup> weight_tile: array<vec4<f32>, 256>; // [DEPTH4][ROWS]

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let first = bounds[first_expert + group.y] + group.z * PAIRS;
    let end = bounds[first_expert + group.y + 1u];
    if first >= end {
        return;
    }
    let few = end - first <= STRIDE; // one pair a thread instead of four
    var sums0 = mat4x4<f32>(); // a column a pair, a component a row
    var sums1 = mat4x4<f32>();
    for (var start = 0u; start * 4u < inner; start += DEPTH4) {
        stage_x(first, end - 1u, start, lane, select(PAIRS, STRIDE, few));
        stage_weight(group.y * rows, group.x * ROWS, start, lane);
        workgroupBarrier();
        for (var depth = 0u; depth < DEPTH4; depth++) {
            let weights0 = weights_at(depth * ROWS + lane % STRIDE);
            let weights1 = weights_at(depth * ROWS + lane % STRIDE + HALF);
            if few {
                let value = x_tile[depth * PAIRS + lane / STRIDE];
                sums0[0] += weights0 * value;
                sums1[0] += weights1 * value;
            } else {
                let values = x_at(depth * PAIRS + lane / STRIDE);
                sums0 += weights0 * values;
                sums1 += weights1 * values;
            }
        }
        workgroupBarrier();
    }
    for (var pair = 0u; pair < 4u; pair++) {
        let position = first + lane / STRIDE + pair * STRIDE;
        if position < end {
            finish(position, group.x * ROWS, lane % STRIDE, sums0[pair]);
            finish(position, group.x * ROWS + HALF, lane % STRIDE, sums1[pair]);
        }
    }
}

// Past the last pair or row the last one is staged again: what comes of it is not written.
fn stage_x(first: u32, last: u32, start: u32, lane: u32, count: u32) {
    for (var i = lane; i < DEPTH4 * count; i += THREADS) {
        let slot = i % DEPTH4 * PAIRS + i / DEPTH4;
        x_tile[slot] = x4(input_row(min(first + i / DEPTH4, last)), start + i % DEPTH4);
    }
}

fn stage_weight(expert: u32, first: u32, start: u32, lane: u32) {
    for (var i = lane; i < DEPTH4 * ROWS; i += THREADS) {
        let row = min(first + row_of(i / DEPTH4), rows - 1u);
        weight_tile[i % DEPTH4 * ROWS + i / DEPTH4] = weight4(expert + row, start + i % DEPTH4);
    }
}
