#pragma once

#include <gemel/sim/assert.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <utility>

namespace gemel::sim {

/// The fixed binary tree of `ordered_sum` over leaves that arrive in any order: the same bits as
/// with all leaves at hand, though it keeps only nodes that wait for their neighbour.
///
/// A leaf stands for 64 subjects and its number counts from the first subject of the population;
/// `Node` has `+=` that takes what stands to its right (double, Moments, a column of them). Not
/// safe for several threads at once.
template <class Node>
class OrderedTree {
public:
    static constexpr std::uint64_t leaf_size = 64; ///< subjects

    /// Every leaf is added once.
    void add(std::uint64_t leaf, Node node) { add_node(leaf, 0, std::move(node)); }

    /// What another tree holds of the same population: another range of subjects.
    void merge(const OrderedTree& other) {
        for (const auto& [first, waiting] : other.waiting_)
            add_node(first, waiting.level, waiting.node);
    }

    /// The whole so far, missing leaves left out: once leaves 0…n − 1 are there, what `ordered_sum`
    /// gives for them. Nothing if there is no leaf.
    std::optional<Node> total() const {
        std::optional<Node> sum;
        for (auto at = waiting_.rbegin(); at != waiting_.rend(); ++at) {
            Node node = at->second.node;
            if (sum) node += *sum;
            sum = std::move(node);
        }
        return sum;
    }

    std::size_t n_waiting() const { return waiting_.size(); }

    template <class Archive>
    void archive(Archive& a) {
        a(waiting_);
    }

private:
    /// The node over leaves [first, first + 2^level); `first` is a multiple of 2^level.
    struct Waiting {
        int level = 0;
        Node node;

        template <class Archive>
        void archive(Archive& a) {
            a(level, node);
        }
    };

    void add_node(std::uint64_t first, int level, Node node) {
        for (;; ++level) {
            const std::uint64_t size = std::uint64_t{1} << level;
            const bool is_right = (first & size) != 0;
            const auto sibling = waiting_.find(is_right ? first - size : first + size);
            if (sibling == waiting_.end() || sibling->second.level != level) break;
            if (is_right) {
                first -= size;
                sibling->second.node += node;
                node = std::move(sibling->second.node);
            } else {
                node += sibling->second.node;
            }
            waiting_.erase(sibling);
        }
        const bool is_new = waiting_.emplace(first, Waiting{level, std::move(node)}).second;
        GEMEL_ASSERT(is_new, "every leaf is added once");
        static_cast<void>(is_new);
    }

    std::map<std::uint64_t, Waiting> waiting_; ///< by first leaf
};

} // namespace gemel::sim
