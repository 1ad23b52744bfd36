#include "solve/exact/grid_samples.hpp"

#include "base/index.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>

namespace gemel::sim::exact {
namespace {

constexpr std::size_t stream_from = 4 << 20; ///< bytes of a block's samples: beyond the caches
constexpr int chunk = longest_run;           ///< points that go through the outputs together

/// An output that is a state, or a state times what is fixed: then computing that is running the
/// program.
struct StateByFactor {
    Leaf state, factor; ///< factor of kind time: none
};

std::optional<StateByFactor> state_by_factor(const LaneProgram& program, int output) {
    const auto store =
        std::find_if(program.stores.begin(), program.stores.end(), [&](const auto& s) {
            return s.to == Leaf{LeafKind::result, output};
        });
    const auto leaf = [&](std::uint32_t value) {
        const LaneProgram::Instruction& from = program.instructions[value];
        return from.op == Op::leaf ? from.leaf : Leaf{LeafKind::time, 0};
    };
    const LaneProgram::Instruction& value = program.instructions[store->value];
    if (value.op == Op::leaf && value.leaf.kind == LeafKind::state)
        return StateByFactor{value.leaf, {LeafKind::time, 0}};
    if (value.op != Op::multiply) return std::nullopt;
    const Leaf a = leaf(value.a), b = leaf(value.b);
    if (a.kind == LeafKind::state && is_fixed(b)) return StateByFactor{a, b};
    if (b.kind == LeafKind::state && is_fixed(a)) return StateByFactor{b, a};
    return std::nullopt;
}

} // namespace

GridSamples::GridSamples(const CompiledSystem& system,
                         const ProgramSet& programs,
                         const Grid& grid,
                         std::span<const SampledOutput> sampled,
                         bool is_whole,
                         const ModalPack& modes,
                         const Kernels& kernels)
    : system_(system),
      programs_(programs),
      grid_(grid),
      kernels_(kernels),
      is_whole_(is_whole) {
    std::vector<int> others;
    for (const int k : grid.sampled) {
        const auto output =
            state_by_factor(programs.programs[outputs_program], sampled[index(k)].output);
        if (output)
            direct_.push_back({read(output->state, output->factor, modes),
                               k,
                               LineWriter(is_whole ? pack * grid.times.size() : 0, kernels)});
        else
            others.push_back(k);
    }
    if (!others.empty()) read_by_program(others, sampled, modes);
}

void GridSamples::read_by_program(std::span<const int> sampled,
                                  std::span<const SampledOutput> all,
                                  const ModalPack& modes) {
    constexpr int width = chunk * pack;
    const LaneProgram& outputs = programs_.programs[outputs_program];
    program_ = std::make_unique<OutputProgram>();
    program_->kernel = interpreter().compile(outputs, programs_.layout, width);
    program_->workspace = Workspace(index(program_->kernel->n_slots()) * width);
    const auto rows_of = [&](Leaf leaf) {
        return program_->workspace.data() + programs_.layout.slot(leaf) * width;
    };
    std::vector<Expr> values;
    for (const int k : sampled) {
        const int output = all[index(k)].output;
        values.push_back(system_.system.outputs[index(output)].value);
        program_->values.push_back({rows_of({LeafKind::result, output}), k});
    }
    for (const LaneProgram::Instruction& instruction : outputs.instructions)
        if (instruction.op == Op::leaf && is_fixed(instruction.leaf))
            program_->fixed.push_back({instruction.leaf, rows_of(instruction.leaf)});
    for (const Leaf& leaf : system_.system.graph.leaves(values)) {
        if (leaf.kind == LeafKind::state)
            program_->states.push_back({read(leaf, {LeafKind::time, 0}, modes), rows_of(leaf)});
        if (leaf.kind == LeafKind::time) program_->time = rows_of(leaf);
    }
}

GridSamples::StateRead GridSamples::read(Leaf state, Leaf factor, const ModalPack& modes) const {
    return {modes.response(state.index, grid_.longest_run), factor, Workspace(pack, 1.0)};
}

void GridSamples::OutputProgram::load(const PackInputs& inputs) {
    alignas(Workspace::alignment) double column[pack];
    for (const Fixed& leaf : fixed) {
        inputs.load(leaf.leaf, column);
        for (int l = 0; l < pack; ++l)
            std::fill_n(leaf.to + l * chunk, chunk, column[l]);
    }
}

void GridSamples::begin_block(const BlockProblem& problem, BlockResult& result) {
    result_ = &result;
    is_streamed_ =
        is_whole_ && index(problem.n_subjects) * grid_.times.size() * sizeof(double) >= stream_from;
    for (DirectOutput& output : direct_)
        if (is_streamed_) output.writer.begin(result.sampled[index(output.sampled)].data());
}

void GridSamples::begin_pack(const PackInputs& inputs, const ModalPack& modes, double* finite) {
    inputs_ = inputs;
    finite_ = finite;
    for (DirectOutput& output : direct_)
        respond(output.read, modes);
    if (!program_) return;
    program_->load(inputs);
    for (OutputProgram::State& state : program_->states)
        respond(state.read, modes);
}

void GridSamples::respond(StateRead& read, const ModalPack& modes) const {
    double* factor = read.factor_column.data();
    if (read.factor.kind != LeafKind::time) inputs_.load(read.factor, factor);
    modes.respond(grid_.step, factor, read.response);
}

void GridSamples::write(std::span<const RowRun> runs, const Starts& starts) {
    if (runs.empty()) return;
    for (DirectOutput& output : direct_)
        write_direct(output, runs, starts);
    for (std::size_t first = 0, end = 0; program_ && first < runs.size(); first = end) {
        while (end < runs.size() &&
               runs[end].place + runs[end].n_points - runs[first].place <= chunk)
            ++end;
        write_chunk(runs.subspan(first, end - first), starts);
    }
}

void GridSamples::end_block() {
    for (DirectOutput& output : direct_)
        if (is_streamed_) output.writer.end();
}

/// Of all subjects.
Rows GridSamples::rows(const StateRead& read,
                       std::span<const RowRun> runs,
                       const Starts& starts) const {
    return {.response = read.response.values.data(),
            .n_response_points = read.response.n_points,
            .n_terms = read.response.n_terms,
            .starts = starts.columns + read.response.first * pack,
            .start_size = starts.size,
            .response_squares = read.response.squares.data(),
            .start_squares = starts.squares,
            .runs = runs.data(),
            .n_runs = static_cast<int>(runs.size()),
            .n_points = runs.back().place + runs.back().n_points - runs.front().place,
            .n_lanes = inputs_.n_valid,
            .finite = finite_};
}

/// The first subject's row.
double* GridSamples::place(int sampled) const {
    return result_->sampled[index(sampled)].data() + index(inputs_.first) * grid_.times.size();
}

void GridSamples::write_direct(DirectOutput& output,
                               std::span<const RowRun> runs,
                               const Starts& starts) {
    const std::size_t n_times = grid_.times.size();
    Rows all = rows(output.read, runs, starts);
    all.to = is_streamed_ ? output.writer.room() : place(output.sampled) + runs.front().place;
    all.stride = static_cast<std::ptrdiff_t>(n_times);
    kernels_.write_rows(all);
    if (is_streamed_) output.writer.put(index(inputs_.n_valid) * n_times);
}

void GridSamples::write_chunk(std::span<const RowRun> runs, const Starts& starts) {
    const int from = runs.front().place;
    const int n_points = runs.back().place + runs.back().n_points - from;
    for (const OutputProgram::State& state : program_->states) {
        Rows all = rows(state.read, runs, starts);
        all.to = state.to;
        all.stride = chunk;
        kernels_.write_rows(all);
    }
    if (program_->time != nullptr)
        for (int l = 0; l < pack; ++l)
            std::copy_n(grid_.times.data() + from, n_points, program_->time + l * chunk);
    program_->kernel->run(program_->workspace.data());
    for (const OutputProgram::Value& value : program_->values)
        for (int l = 0; l < inputs_.n_valid; ++l)
            kernels_.copy_row(value.from + l * chunk,
                              n_points,
                              place(value.sampled) + index(l) * grid_.times.size() + from,
                              finite_ + l);
}

} // namespace gemel::sim::exact
