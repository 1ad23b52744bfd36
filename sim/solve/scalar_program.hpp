#pragma once

#include "solve/workspace.hpp"

#include <gemel/sim/lane_program.hpp>

#include <memory>
#include <span>
#include <vector>

/// Lane programs for one subject at a time.
namespace gemel::sim {

/// What one subject brings.
struct ScalarSubject {
    std::span<const double> inputs;  ///< [n_inputs]
    std::span<const double> derived; ///< [n_derived]
    std::span<const double> scale;   ///< [n_states] for error control; 0: the largest value so far
};

/// Column `subject` of a block's [rows × n_subjects].
void gather(std::span<const double> columns, int n_subjects, int subject, std::vector<double>& to);

/// A program at width 1 with a workspace of its own. A workspace has slots only for the leaves that
/// some program mentions: what it has no slot for is left out.
class ScalarProgram {
public:
    ScalarProgram(const LaneProgram& program, const WorkspaceLayout& layout);

    void load(const ScalarSubject& subject); ///< inputs and derived values
    void set_time(double time) { set(LeafKind::time, {&time, 1}); }
    void set_states(std::span<const double> states) { set(LeafKind::state, states); }
    const double* results() const {
        return workspace_.data() + layout_.slot({LeafKind::result, 0});
    }
    void run() { kernel_->run(workspace_.data()); }

private:
    void set(LeafKind kind, std::span<const double> values);

    WorkspaceLayout layout_;
    std::unique_ptr<Kernel> kernel_;
    Workspace workspace_;
};

} // namespace gemel::sim
