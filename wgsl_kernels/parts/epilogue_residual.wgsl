// Epilogue of a linear: residual + alpha * sum, and a bias if there is one. The residual has the layout of the output.
@group(0) @binding(2) var<storage, read_write> out: array<Elem>;
@group(0) @binding(5) var<storage, read> bias: array<f32>;
@group(0) @binding(6) var<storage, read> residual: array<Elem>;

fn epilogue(token: u32, row: u32, sum: f32) {
    let at = token * out_stride + column + row;
    out[at] = Elem(f32(residual[at]) + (alpha * sum + bias_at(row)));
}
