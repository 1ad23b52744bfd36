#include "solve/exact/modal_parts.hpp"

#include <algorithm>

namespace gemel::sim {

namespace {

bool contains(const std::vector<int>& sorted, int value) {
    return std::binary_search(sorted.begin(), sorted.end(), value);
}

/// Pairs of coupled states; a tree has one fewer than it has states.
int n_couplings(const SystemStructure& structure, const std::vector<int>& block, bool& is_mutual) {
    int n = 0;
    for (std::size_t i = 0; i < block.size(); ++i)
        for (std::size_t j = 0; j < i; ++j) {
            const bool forth = contains(structure.jacobian[block[i]], block[j]);
            const bool back = contains(structure.jacobian[block[j]], block[i]);
            is_mutual = is_mutual && forth == back;
            n += forth || back;
        }
    return n;
}

} // namespace

std::optional<std::vector<ModalPart>> modal_parts(const SystemStructure& structure) {
    const int n_states = static_cast<int>(structure.jacobian.size());
    const auto n_blocks = static_cast<int>(structure.blocks.size());
    std::vector<int> block_of(n_states, 0);
    for (int k = 0; k < n_blocks; ++k)
        for (int state : structure.blocks[k])
            block_of[state] = k;

    // Which other blocks each block is fed by, and the one it feeds.
    std::vector<std::vector<int>> feeds(n_blocks), fed_by(n_blocks);
    for (int i = 0; i < n_states; ++i)
        for (int j : structure.jacobian[i])
            if (block_of[i] != block_of[j]) {
                feeds[block_of[j]].push_back(block_of[i]);
                fed_by[block_of[i]].push_back(block_of[j]);
            }
    for (auto* lists : {&feeds, &fed_by})
        for (auto& list : *lists) {
            std::sort(list.begin(), list.end());
            list.erase(std::unique(list.begin(), list.end()), list.end());
        }

    std::vector<ModalPart> parts;
    for (int k = 0; k < n_blocks; ++k) {
        const std::vector<int>& block = structure.blocks[k];
        if (!feeds[k].empty()) {
            if (block.size() != 1 || !fed_by[k].empty() || feeds[k].size() != 1)
                return std::nullopt;
            continue; // a depot: it is listed with the block it feeds
        }
        bool is_mutual = true;
        const int couplings = n_couplings(structure, block, is_mutual);
        if (block.size() > 3 || !is_mutual || couplings != static_cast<int>(block.size()) - 1)
            return std::nullopt;
        ModalPart part{block, {}};
        for (int source : fed_by[k])
            part.depots.push_back(structure.blocks[source].front());
        parts.push_back(std::move(part));
    }
    return parts;
}

} // namespace gemel::sim
