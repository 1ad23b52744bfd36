#include <gemel/pkpd/nca.hpp>

#include <fmt/format.h>

#include <array>

namespace gemel::pkpd {

namespace {

using Kind = NcaParameter::Kind;
using R = NcaResult;

constexpr std::array all_parameters{
    NcaParameter{"cmax", &R::cmax, Kind::concentration, "CMAX", "highest concentration"},
    NcaParameter{"tmax", &R::tmax, Kind::time, "TMAX", "its time, the first if several"},
    NcaParameter{"tlag", &R::tlag, Kind::time, "TLAG", "last time before the first measurable one"},
    NcaParameter{"c0", &R::c0, Kind::concentration, "C0", "at a bolus, measured or extrapolated"},
    NcaParameter{"ceoi", &R::ceoi, Kind::concentration, "CEOI", "at the end of the infusion"},
    NcaParameter{"tlast", &R::tlast, Kind::time, "TLST", "time of the last measurable one"},
    NcaParameter{"clast_obs", &R::clast_obs, Kind::concentration, "CLST", "concentration then"},
    NcaParameter{
        "clast_pred", &R::clast_pred, Kind::concentration, "CLSTP", "by the line of lambda_z"},
    NcaParameter{"lambda_z", &R::lambda_z, Kind::rate, "LAMZ", "terminal rate constant"},
    NcaParameter{"half_life", &R::half_life, Kind::time, "LAMZHL", "ln 2 / lambda_z"},
    NcaParameter{
        "lambda_z_n_points", &R::lambda_z_n_points, Kind::number, "LAMZNPT", "points of the line"},
    NcaParameter{
        "lambda_z_time_first", &R::lambda_z_time_first, Kind::time, "LAMZLL", "first of them"},
    NcaParameter{
        "lambda_z_time_last", &R::lambda_z_time_last, Kind::time, "LAMZUL", "last of them"},
    NcaParameter{
        "lambda_z_corrxy", &R::lambda_z_corrxy, Kind::number, "CORRXY", "correlation of t, ln C"},
    NcaParameter{"r_squared", &R::r_squared, Kind::number, "R2", "of the line"},
    NcaParameter{
        "adj_r_squared", &R::adj_r_squared, Kind::number, "R2ADJ", "adjusted for the points"},
    NcaParameter{
        "span_ratio", &R::span_ratio, Kind::number, "LAMZSPN", "half-lives the line spans"},
    NcaParameter{"auclast", &R::auclast, Kind::area, "AUCLST", "to tlast"},
    NcaParameter{"aucall", &R::aucall, Kind::area, "AUCALL", "to the last point, 0 or not"},
    NcaParameter{"aucinf_obs", &R::aucinf_obs, Kind::area, "AUCIFO", "to infinity, from clast_obs"},
    NcaParameter{
        "aucinf_pred", &R::aucinf_pred, Kind::area, "AUCIFP", "to infinity, from clast_pred"},
    NcaParameter{
        "aucpext_obs", &R::aucpext_obs, Kind::percent, "AUCPEO", "share of aucinf_obs after tlast"},
    NcaParameter{"aucpext_pred",
                 &R::aucpext_pred,
                 Kind::percent,
                 "AUCPEP",
                 "share of aucinf_pred after tlast"},
    NcaParameter{"aucpbext_obs",
                 &R::aucpbext_obs,
                 Kind::percent,
                 "AUCPBEO",
                 "share of aucinf_obs before the first point, bolus"},
    NcaParameter{"aucpbext_pred",
                 &R::aucpbext_pred,
                 Kind::percent,
                 "AUCPBEP",
                 "share of aucinf_pred before the first point, bolus"},
    NcaParameter{"aumclast", &R::aumclast, Kind::moment, "AUMCLST", "first moment, to tlast"},
    NcaParameter{"aumcinf_obs",
                 &R::aumcinf_obs,
                 Kind::moment,
                 "AUMCIFO",
                 "first moment to infinity, from clast_obs"},
    NcaParameter{"aumcinf_pred",
                 &R::aumcinf_pred,
                 Kind::moment,
                 "AUMCIFP",
                 "first moment to infinity, from clast_pred"},
    NcaParameter{
        "aumcpext_obs", &R::aumcpext_obs, Kind::percent, "AUMCPEO", "share of it after tlast"},
    NcaParameter{
        "aumcpext_pred", &R::aumcpext_pred, Kind::percent, "AUMCPEP", "share of it after tlast"},
    NcaParameter{"mrt_last",
                 &R::mrt_last,
                 Kind::time,
                 "",
                 "aumclast / auclast, less half an infusion (MRTEVLST, MRTIVLST)"},
    NcaParameter{
        "mrt_obs", &R::mrt_obs, Kind::time, "", "likewise to infinity (MRTEVIFO, MRTIVIFO)"},
    NcaParameter{
        "mrt_pred", &R::mrt_pred, Kind::time, "", "likewise to infinity (MRTEVIFP, MRTIVIFP)"},
    NcaParameter{"thalf_eff_obs", &R::thalf_eff_obs, Kind::time, "", "ln 2 · mrt_obs"},
    NcaParameter{"cl_obs", &R::cl_obs, Kind::clearance, "CLO", "dose / aucinf_obs"},
    NcaParameter{"cl_pred", &R::cl_pred, Kind::clearance, "CLP", "dose / aucinf_pred"},
    NcaParameter{"vz_obs", &R::vz_obs, Kind::volume, "VZO", "cl_obs / lambda_z"},
    NcaParameter{"vz_pred", &R::vz_pred, Kind::volume, "VZP", "cl_pred / lambda_z"},
    NcaParameter{"vss_obs", &R::vss_obs, Kind::volume, "VSSO", "cl_obs · mrt_obs"},
    NcaParameter{"vss_pred", &R::vss_pred, Kind::volume, "VSSP", "cl_pred · mrt_pred"},
    NcaParameter{
        "cl_f_obs", &R::cl_f_obs, Kind::clearance, "CLFO", "dose / aucinf_obs, extravascular"},
    NcaParameter{
        "cl_f_pred", &R::cl_f_pred, Kind::clearance, "CLFP", "dose / aucinf_pred, extravascular"},
    NcaParameter{"vz_f_obs", &R::vz_f_obs, Kind::volume, "VZFO", "cl_f_obs / lambda_z"},
    NcaParameter{"vz_f_pred", &R::vz_f_pred, Kind::volume, "VZFP", "cl_f_pred / lambda_z"},
    NcaParameter{"auctau", &R::auctau, Kind::area, "AUCTAU", "over the dosing interval"},
    NcaParameter{"aumctau", &R::aumctau, Kind::moment, "AUMCTAU", "first moment over it"},
    NcaParameter{"cav", &R::cav, Kind::concentration, "CAVG", "auctau / tau"},
    NcaParameter{"cmin", &R::cmin, Kind::concentration, "CMIN", "lowest of the interval"},
    NcaParameter{"ctrough", &R::ctrough, Kind::concentration, "CTROUGH", "at its end"},
    NcaParameter{"deg_fluc", &R::deg_fluc, Kind::percent, "FLUCP", "(cmax − cmin) / cav"},
    NcaParameter{"swing", &R::swing, Kind::percent, "SWING", "(cmax − cmin) / cmin"},
    NcaParameter{"ptr", &R::ptr, Kind::number, "PTROUGHR", "cmax / ctrough"},
    NcaParameter{"cl_ss", &R::cl_ss, Kind::clearance, "", "dose / auctau at steady state"},
    NcaParameter{"cl_f_ss",
                 &R::cl_f_ss,
                 Kind::clearance,
                 "",
                 "dose / auctau at steady state, extravascular"},
    NcaParameter{"vz_ss", &R::vz_ss, Kind::volume, "", "cl_ss / lambda_z"},
    NcaParameter{"vz_f_ss", &R::vz_f_ss, Kind::volume, "", "cl_f_ss / lambda_z"},
    NcaParameter{"mrt_ss",
                 &R::mrt_ss,
                 Kind::time,
                 "",
                 "(aumctau + tau·(aucinf_obs − auctau)) / auctau, less half an infusion"},
    NcaParameter{"vss_ss", &R::vss_ss, Kind::volume, "", "cl_ss · mrt_ss"},
    NcaParameter{"accumulation_index",
                 &R::accumulation_index,
                 Kind::number,
                 "",
                 "1 / (1 − exp(−lambda_z·tau)), foretold"},
    NcaParameter{"tss_90",
                 &R::tss_90,
                 Kind::time,
                 "",
                 "ln 10 / lambda_z: to 90 % of steady state, foretold"},
    NcaParameter{"accumulation_auc",
                 &R::accumulation_auc,
                 Kind::number,
                 "",
                 "auctau over that of the first dose"},
    NcaParameter{"accumulation_cmax",
                 &R::accumulation_cmax,
                 Kind::number,
                 "",
                 "cmax over that of the first"},
    NcaParameter{"cmax_dn", &R::cmax_dn, Kind::per_dose, "CMAXD", "cmax / dose"},
    NcaParameter{"auclast_dn", &R::auclast_dn, Kind::area_per_dose, "AUCLSTD", "auclast / dose"},
    NcaParameter{
        "aucinf_obs_dn", &R::aucinf_obs_dn, Kind::area_per_dose, "AUCIFOD", "aucinf_obs / dose"},
    NcaParameter{"auctau_dn", &R::auctau_dn, Kind::area_per_dose, "AUCTAUD", "auctau / dose"},
};

/// The quotient in litres (per time) where it is a volume, else as it is.
NcaScale in_litres(const sim::Unit& quotient, const sim::Unit& target) {
    if (quotient.dimension == target.dimension)
        return {sim::conversion_factor(quotient, target), target.text};
    return {1.0, quotient.text};
}

std::string_view kind_text(Kind kind) {
    switch (kind) {
    case Kind::time:
        return "time";
    case Kind::rate:
        return "1/time";
    case Kind::concentration:
        return "concentration";
    case Kind::area:
        return "concentration·time";
    case Kind::moment:
        return "concentration·time²";
    case Kind::clearance:
        return "volume/time";
    case Kind::volume:
        return "volume";
    case Kind::per_dose:
        return "concentration/dose";
    case Kind::area_per_dose:
        return "concentration·time/dose";
    case Kind::percent:
        return "%";
    case Kind::number:
        return "1";
    }
    return "";
}

} // namespace

std::span<const NcaParameter> nca_parameters() {
    return all_parameters;
}

NcaScale nca_scale(Kind kind, const NcaUnits& units) {
    const sim::Unit litre = *sim::parse_unit("L");
    const sim::Unit area = units.concentration * units.time;
    const sim::Unit dose = units.dose.value_or(sim::Unit{});
    switch (kind) {
    case Kind::time:
        return {1.0, units.time.text};
    case Kind::rate:
        return {1.0, (sim::Unit{} / units.time).text};
    case Kind::concentration:
        return {1.0, units.concentration.text};
    case Kind::area:
        return {1.0, area.text};
    case Kind::moment:
        return {1.0, (area * units.time).text};
    case Kind::clearance:
        return in_litres(dose / area, litre / units.time);
    case Kind::volume:
        return in_litres(dose / units.concentration, litre);
    case Kind::per_dose:
        return {1.0, (units.concentration / dose).text};
    case Kind::area_per_dose:
        return {1.0, (area / dose).text};
    case Kind::percent:
        return {1.0, "%"};
    case Kind::number:
        return {1.0, "1"};
    }
    return {};
}

std::string nca_reference_page() {
    std::string page = "# Parameters of `gemel nca`\n\nWritten by `gemel reference nca`. Formulas: "
                       "[exposure.md](../theory/exposure.md).\n\n"
                       "| parameter | unit | CDISC | what it is |\n|---|---|---|---|\n";
    for (const NcaParameter& parameter : nca_parameters())
        page += fmt::format("| `{}` | {} | {} | {} |\n",
                            parameter.name,
                            kind_text(parameter.kind),
                            parameter.cdisc,
                            parameter.about);
    return page;
}

} // namespace gemel::pkpd
