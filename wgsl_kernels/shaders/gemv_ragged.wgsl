alias Elem = f32;
// out = x * weight^T for few tokens: a workgroup owns 4 rows of the weight and one token, its lanes share the length
// of the rows, 8 values at a time. Neighbouring lanes read neighbouring words, and each value of x serves 4 rows.
@group(0) @binding(1) var<storage, read> x: array<Elem>;
override inner: u32;
override rows: u32;
override out_stride: u32;
override column: u32;
override alpha: f32;
override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let row = group.x * 4u;
    let last = rows - 1u;
    var sums = vec4(0.0);
    for (var k8 = lane; k8 * 8u < inner; k8 += WG) {
        sums += dot8_of_4_rows(group.y, row, last, k8);
    }
    sums = reduce_sum4(sums, lane);
    if lane < 4u && row + lane < rows {
        epilogue(group.y, row + lane, sums[lane]);
    }
}
