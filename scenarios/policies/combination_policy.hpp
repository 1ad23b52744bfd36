#pragma once

#include "policies/genotype_classes.hpp"

#include <gemel/scenarios/policy.hpp>

#include <utility>
#include <vector>

/// A policy that gives all subjects of a combination of genotypes one dose.
namespace gemel::scenarios {

/// What a combination comes to.
struct CombinationDose {
    double amount = 0.0;
    PolicyAction action = PolicyAction::no_advice;
    bool operator==(const CombinationDose&) const = default;
};

class CombinationPolicy : public Policy {
public:
    CombinationPolicy(GenotypeCombinations combinations, std::vector<CombinationDose> doses)
        : combinations_(std::move(combinations)),
          doses_(std::move(doses)) {}

    PolicyAmounts amounts(const SeenSubjects& subjects) const override {
        PolicyAmounts given;
        for (const std::size_t combination : combinations_.of(subjects)) {
            given.amount.push_back(doses_[combination].amount);
            given.action.push_back(doses_[combination].action);
        }
        return given;
    }

private:
    GenotypeCombinations combinations_;
    std::vector<CombinationDose> doses_; ///< [combinations]
};

} // namespace gemel::scenarios
