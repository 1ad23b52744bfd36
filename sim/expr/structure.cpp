#include "expr/affine.hpp"
#include "expr/gradient.hpp"

#include <gemel/sim/ode_system.hpp>

#include <algorithm>

namespace gemel::sim {
namespace {

/// States with a derivative of `rate` that is not identically zero.
std::vector<int> columns_of(ExpressionGraph& graph, Expr rate) {
    std::vector<int> columns;
    for (const auto& [state, slope] : state_gradient(graph, rate))
        columns.push_back(state);
    return columns;
}

bool has_linear_rates(const OdeSystem& system) {
    const std::vector<char> is_affine = affine_nodes(system.graph);
    return std::all_of(system.states.begin(), system.states.end(), [&](const State& state) {
        return is_affine[state.rate.id] != 0;
    });
}

/// Tarjan's strongly connected components, without recursion. State i hangs on its columns j, so a
/// component is complete only after those that flow into it: they come out in order of flow.
class Components {
public:
    explicit Components(const std::vector<std::vector<int>>& sources)
        : sources_(sources),
          order_(sources.size(), -1),
          low_(sources.size(), 0),
          is_open_(sources.size(), 0) {
        for (int i = 0; i < static_cast<int>(sources.size()); ++i)
            if (order_[at(i)] < 0) search(i);
    }
    std::vector<std::vector<int>> found;

private:
    struct Visit {
        int state = 0;
        std::size_t next = 0; ///< position in the state's sources
    };
    static std::size_t at(int i) { return static_cast<std::size_t>(i); }

    void open(int i) {
        order_[at(i)] = low_[at(i)] = n_ordered_++;
        open_.push_back(i);
        is_open_[at(i)] = 1;
        visits_.push_back({i, 0});
    }

    void search(int root) {
        open(root);
        while (!visits_.empty()) {
            Visit& visit = visits_.back();
            const int i = visit.state;
            if (visit.next == sources_[at(i)].size()) {
                close(i);
                continue;
            }
            const int j = sources_[at(i)][visit.next++];
            if (order_[at(j)] < 0)
                open(j);
            else if (is_open_[at(j)] != 0)
                low_[at(i)] = std::min(low_[at(i)], order_[at(j)]);
        }
    }

    void close(int i) {
        visits_.pop_back();
        if (!visits_.empty()) {
            int& above = low_[at(visits_.back().state)];
            above = std::min(above, low_[at(i)]);
        }
        if (low_[at(i)] != order_[at(i)]) return;
        const auto first = std::find(open_.begin(), open_.end(), i);
        std::vector<int> component(first, open_.end());
        open_.erase(first, open_.end());
        for (const int state : component)
            is_open_[at(state)] = 0;
        std::sort(component.begin(), component.end());
        found.push_back(std::move(component));
    }

    const std::vector<std::vector<int>>& sources_;
    std::vector<int> order_, low_;
    std::vector<char> is_open_;
    std::vector<int> open_;
    std::vector<Visit> visits_;
    int n_ordered_ = 0;
};

} // namespace

SystemStructure analyse(OdeSystem& system) {
    SystemStructure structure;
    for (const State& state : system.states) {
        structure.jacobian.push_back(columns_of(system.graph, state.rate));
        structure.uses_time |= system.graph.depends_on(state.rate, LeafKind::time);
    }
    structure.is_linear = has_linear_rates(system);
    structure.blocks = Components(structure.jacobian).found;
    return structure;
}

} // namespace gemel::sim
