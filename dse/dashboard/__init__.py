"""The live dashboard: reads studies through `dse.results`, prices through `dse.costing`, changes nothing."""
