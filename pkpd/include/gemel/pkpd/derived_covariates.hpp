#pragma once

#include <gemel/pkpd/model.hpp>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

/// Covariates that follow from others by a published formula: body surface area, creatinine
/// clearance. They are data, `library/covariates/*.toml`.
namespace gemel::pkpd {

struct DerivedCovariate {
    std::string name, about, source;
    sim::Unit unit;
    sim::SourceText formula;
    struct Test {
        sim::SourceSpan span;
        std::vector<double> given; ///< [inputs] in their units, categories as index; NaN: not given
        double expect = 0.0;       ///< in the formula's unit
        double within = 1e-6;      ///< relative
    };
    std::vector<Test> tests;
};

struct DerivedCovariates {
    std::shared_ptr<const sim::SourceFile> file;
    std::vector<Covariate> inputs; ///< what formulas may mention
    std::vector<DerivedCovariate> rows;

    const DerivedCovariate* find(const std::string& name) const; ///< nullptr if there is none
};

/// Reads a file and checks its formulas. @returns nullptr after mistakes, which are in diagnostics
std::shared_ptr<const DerivedCovariates>
load_derived_covariates(const std::filesystem::path& file, sim::DiagnosticList& diagnostics);

/// Runs one of a formula's own tests. @returns "" or what differs, in words
std::string run_derived_test(const DerivedCovariates& covariates,
                             const DerivedCovariate& row,
                             const DerivedCovariate::Test& test);

/// The keys of such a file, for the reference pages.
void describe_derived_covariates_for_reference(io::Fields& fields);

} // namespace gemel::pkpd
